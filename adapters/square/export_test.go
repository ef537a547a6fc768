package square

// CheckSignature is the part of VerifyWebhook that does not read the event.
func (a *Adapter) CheckSignature(header string, body []byte) error {
	return a.checkSignature(header, body)
}

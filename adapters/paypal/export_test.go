package paypal

// What the tests look at from within.
var (
	ToForeign   = toForeign
	FromForeign = fromForeign
)

// Limits that tests go up to.
const (
	CertificateBytesMax   = certificateBytesMax
	CertificateFetchesMax = certificateFetchesMax
	CertificatesKeptMax   = certificatesKeptMax
	ListPaymentsMax       = listPaymentsMax
	ListDisputesMax       = listDisputesMax
	ReportPagesMax        = reportPagesMax
)

// IsSubject reports whether a name is one that a certificate for webhooks has, in live or not.
func IsSubject(name string, live bool) bool { return (&certificates{live: live}).isSubject(name) }

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
	ReportPagesMax        = reportPagesMax
)

package pay

// What the tests look at by itself.
var (
	FormatMoney   = formatMoney
	ForeignAmount = foreignAmount
)

package engine

// PassesLuhn reports whether the last of the digits of a card's number fits the others.
//
// Source: ISO/IEC 7812-1, annex B.
func PassesLuhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		digit := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if digit *= 2; digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	return sum%10 == 0
}

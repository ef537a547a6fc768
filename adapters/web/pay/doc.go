// Package pay serves the hosted checkout page: what is bought, the provider's payment
// fields in the provider's own frame, and what became of the payment. The page's script
// talks to three addresses here, none of which takes or ever sees a card number.
//
// The page decides nothing. What a browser says is only ever a reason to look at the
// provider's object.
package pay

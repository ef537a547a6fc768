package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of the metadata that storefronts keep with an object, in characters but for the first.
const (
	MetadataKeysMax  = 50
	MetadataKeyMax   = 40
	MetadataValueMax = 500
)

// CheckMetadata says what is wrong with an object's metadata; nothing where it can be kept.
func CheckMetadata(metadata map[string]string) []FieldError {
	if len(metadata) > MetadataKeysMax {
		return []FieldError{{Field: "metadata", Message: fmt.Sprintf("must have at most %d keys", MetadataKeysMax)}}
	}
	var wrong []FieldError
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if key == "" || utf8.RuneCountInString(key) > MetadataKeyMax || hasControl(key) || !utf8.ValidString(key) {
			message := fmt.Sprintf("must have keys of 1 to %d characters without control characters", MetadataKeyMax)
			return append(wrong, FieldError{Field: "metadata", Message: message})
		}
		value := metadata[key]
		switch {
		case utf8.RuneCountInString(value) > MetadataValueMax:
			wrong = append(wrong, FieldError{Field: "metadata." + key, Message: fmt.Sprintf("must have 0 to %d characters", MetadataValueMax)})
		case !utf8.ValidString(value) || hasControl(value):
			wrong = append(wrong, FieldError{Field: "metadata." + key, Message: "must be text without control characters"})
		}
	}
	return wrong
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

package outbound

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"strings"
)

// jsonDepthMax is far above the nesting of anything that a provider sends.
const jsonDepthMax = 256

// Parts names the few parts of a JSON document that are used. Reading them takes one pass,
// which checks the whole document as well.
type Parts struct {
	root *part
}

// part is one key on the way to a part that is wanted.
type part struct {
	key    string
	wanted int     // where its value goes; -1 for one that only leads to others
	below  []*part // members of its value
	all    []int   // where its value and those below go
}

// NewParts names parts by the keys that lead to them: "data.object.id". The order is that
// in which Read gives them.
func NewParts(paths ...string) *Parts {
	root := &part{wanted: -1}
	for n, path := range paths {
		at := root
		for key := range strings.SplitSeq(path, ".") {
			next := at.find(key)
			if next == nil {
				next = &part{key: key, wanted: -1}
				at.below = append(at.below, next)
			}
			next.all = append(next.all, n)
			at = next
		}
		at.wanted = n
	}
	return &Parts{root: root}
}

func (p *part) find(key string) *part {
	for _, one := range p.below {
		if one.key == key {
			return one
		}
	}
	return nil
}

// Read finds the parts in a document: each value goes as it is written, uncopied, to its
// part's place in into, which holds as many nils as there are parts. What is not there stays
// nil; where a key is repeated, its last value counts. It is false where the document is
// not JSON, or is nested deeper than any that is waited for.
func (p *Parts) Read(text []byte, into [][]byte) bool {
	at := skipValue(text, skipSpace(text, 0), p.root, into, 0)
	return at >= 0 && skipSpace(text, at) == len(text)
}

// JSONString is the string that a part is; empty where it is something else.
func JSONString(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	plain := value[1 : len(value)-1]
	if bytes.IndexByte(plain, '\\') < 0 {
		return string(plain)
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return ""
	}
	return text
}

// The functions below go over one thing of a document from where it begins, and give where
// it ends; -1 where it is not what it should be.

// skipValue goes over a value and takes what is wanted of it; p is nil where nothing is.
//
// Source: RFC 8259, section 3.
func skipValue(text []byte, at int, p *part, into [][]byte, depth int) int {
	if at >= len(text) || depth > jsonDepthMax {
		return -1
	}
	switch text[at] {
	case '"':
		return skipString(text, at)
	case '{':
		return skipObject(text, at, p, into, depth)
	case '[':
		return skipArray(text, at, into, depth)
	case 't':
		return skipWord(text, at, "true")
	case 'f':
		return skipWord(text, at, "false")
	case 'n':
		return skipWord(text, at, "null")
	}
	return skipNumber(text, at)
}

func skipObject(text []byte, at int, p *part, into [][]byte, depth int) int {
	at = skipSpace(text, at+1)
	if at < len(text) && text[at] == '}' {
		return at + 1
	}
	for at < len(text) && text[at] == '"' {
		end := skipString(text, at)
		if end < 0 {
			return -1
		}
		var member *part
		if p != nil {
			member = p.member(text[at:end])
		}
		if at = skipSpace(text, end); at >= len(text) || text[at] != ':' {
			return -1
		}
		begin := skipSpace(text, at+1)
		if member != nil {
			for _, n := range member.all {
				into[n] = nil
			}
		}
		if end = skipValue(text, begin, member, into, depth+1); end < 0 {
			return -1
		}
		if member != nil && member.wanted >= 0 {
			into[member.wanted] = text[begin:end]
		}
		if at = skipSpace(text, end); at >= len(text) {
			return -1
		}
		switch text[at] {
		case '}':
			return at + 1
		case ',':
			at = skipSpace(text, at+1)
		default:
			return -1
		}
	}
	return -1
}

// member finds what is wanted of a member by its key, which is a whole JSON string.
func (p *part) member(quoted []byte) *part {
	key := quoted[1 : len(quoted)-1]
	for _, one := range p.below {
		if string(key) == one.key {
			return one
		}
	}
	if len(p.below) == 0 || bytes.IndexByte(key, '\\') < 0 {
		return nil
	}
	return p.find(JSONString(quoted))
}

func skipArray(text []byte, at int, into [][]byte, depth int) int {
	at = skipSpace(text, at+1)
	if at < len(text) && text[at] == ']' {
		return at + 1
	}
	for {
		if at = skipValue(text, at, nil, into, depth+1); at < 0 {
			return -1
		}
		if at = skipSpace(text, at); at >= len(text) {
			return -1
		}
		switch text[at] {
		case ']':
			return at + 1
		case ',':
			at = skipSpace(text, at+1)
		default:
			return -1
		}
	}
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && text[at] <= ' ' && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t') {
		at++
	}
	return at
}

// Of eight bytes at once: ones has each lowest bit set, tops each highest.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// skipString goes over a string from its opening quote. Eight bytes at a time are looked
// through for one that ends the plain text: a quote, a backslash, or a control character,
// which no string holds.
func skipString(text []byte, at int) int {
	at++
	for at < len(text) {
		if at+8 <= len(text) {
			word := binary.LittleEndian.Uint64(text[at:])
			quote, slash := word^(ones*'"'), word^(ones*'\\')
			// Of the bits that are set, the lowest is right; those above it may be a carry's.
			found := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((word - ones*' ') &^ word)
			if found &= tops; found == 0 {
				at += 8
				continue
			}
			at += bits.TrailingZeros64(found) / 8
		}
		switch b := text[at]; {
		case b == '"':
			return at + 1
		case b == '\\':
			if at = skipEscape(text, at); at < 0 {
				return -1
			}
		case b < ' ':
			return -1
		default:
			at++
		}
	}
	return -1
}

func skipEscape(text []byte, at int) int {
	if at+1 >= len(text) {
		return -1
	}
	switch text[at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 2
	case 'u':
		if at+6 > len(text) {
			return -1
		}
		for _, b := range text[at+2 : at+6] {
			if !(b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F') {
				return -1
			}
		}
		return at + 6
	}
	return -1
}

func skipWord(text []byte, at int, word string) int {
	if len(text)-at < len(word) || string(text[at:at+len(word)]) != word {
		return -1
	}
	return at + len(word)
}

func skipNumber(text []byte, at int) int {
	if text[at] == '-' {
		at++
	}
	begin := at
	if at = skipDigits(text, at); at < 0 || text[begin] == '0' && at > begin+1 {
		return -1
	}
	if at < len(text) && text[at] == '.' {
		if at = skipDigits(text, at+1); at < 0 {
			return -1
		}
	}
	if at < len(text) && (text[at] == 'e' || text[at] == 'E') {
		at++
		if at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		return skipDigits(text, at)
	}
	return at
}

// skipDigits goes over one digit or more.
func skipDigits(text []byte, at int) int {
	begin := at
	for at < len(text) && text[at] >= '0' && text[at] <= '9' {
		at++
	}
	if at == begin {
		return -1
	}
	return at
}

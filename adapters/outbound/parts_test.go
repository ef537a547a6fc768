package outbound_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/outbound"
)

var someParts = outbound.NewParts("id", "live", "data.object.id", "data.object.payment")

func read(text string) (parts [4]string, ok bool) {
	var found [4][]byte
	ok = someParts.Read([]byte(text), found[:])
	for n, one := range found {
		parts[n] = string(one)
	}
	return parts, ok
}

func TestParts(t *testing.T) {
	t.Parallel()
	const spaced = " \t{\"id\":7}\r\n "
	for text, want := range map[string][4]string{
		`{"id":"evt_1","live":true,"data":{"object":{"id":"pi_1","payment":null}}}`: {`"evt_1"`, `true`, `"pi_1"`, `null`},
		"{\n\t\"id\" : 7 , \"live\":{\"a\":[1]}\r\n}":                               {`7`, `{"a":[1]}`},
		`{"ID":"x","x":{"id":"x"},"data":[{"object":{"id":"x"}}],"live":-0.5e+3}`:   {1: `-0.5e+3`},
		`{"id":"a","id":"b"}`: {`"b"`},
		`{"data":{"object":{"id":"x","payment":"y"}},"data":{"object":{"id":"z"}}}`: {2: `"z"`},
		`{"data":{"object":{"id":"x"}},"data":7}`:                                   {},
		`{"\u0069d":"escaped","d\u0061ta":{"object":{"\u0069d":"too"}}}`:            {`"escaped"`, ``, `"too"`},
		spaced:         {`7`},
		`[{"id":"x"}]`: {}, `"id"`: {}, `null`: {}, `7`: {}, `{}`: {},
	} {
		found, ok := read(text)
		require.True(t, ok, text)
		require.Equal(t, want, found, text)
	}
	for value, want := range map[string]string{`"pi_1"`: "pi_1", `"p\u0069_1"`: "pi_1", `"a\"b"`: `a"b`, `""`: "", `7`: "", `null`: "", `["x"]`: "", ``: ""} {
		require.Equal(t, want, outbound.JSONString([]byte(value)), value)
	}
}

func TestPartsOfWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `}`, `[`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{"a":1}}`, `{"a":1} x`, `[1,]`, `[1 2]`, `[,1]`,
		`"`, `"abc`, `"abcdefgh`, "\"a\nb\"", "\"abcdefg\x00\"", `"\x"`, `"\`, `"\u12"`, `"\u12G4"`, `"\u123`,
		`01`, `-`, `+1`, `1.`, `.5`, `1e`, `1e+`, `0x1`, `1a`, `--1`, `tru`, `True`, `nul`, `falsee`, `NaN`, "\ufeff{}", "{}\x00", `'a'`,
		strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<20), strings.Repeat("[", 300) + strings.Repeat("]", 300),
	} {
		_, ok := read(text)
		require.False(t, ok, "%.40s", text)
	}
	_, ok := read(strings.Repeat("[", 200) + strings.Repeat("]", 200))
	require.True(t, ok)
}

// FuzzParts: what is JSON, and what it says, is what the standard library finds.
func FuzzParts(f *testing.F) {
	for _, text := range []string{
		`{"id":"evt_1","live":true,"data":{"object":{"id":"pi_1","payment":"x\u00e9\n"}}}`, `{"id":[{"a":-1.5e-7},"\\",{}],"id":null}`,
		`[[[[`, `{"data":{"object":{"id":1}},"data":{}}`, "\"long text with \xff and \u2028 in it\"", `{"d\u0061ta":{"object":{"id":"x"}}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := read(text)
		if strings.Count(text, "[")+strings.Count(text, "{") < 200 {
			require.Equal(t, json.Valid([]byte(text)), ok)
		}
		if !ok {
			return
		}
		top := members([]byte(text))
		object := members(members(top["data"])["object"])
		require.Equal(t, [4]string{string(top["id"]), string(top["live"]), string(object["id"]), string(object["payment"])}, found)
		for _, part := range found {
			var want string
			if json.Unmarshal([]byte(part), &want) == nil && strings.ToValidUTF8(part, "") == part {
				require.Equal(t, want, outbound.JSONString([]byte(part)))
			}
		}
	})
}

// members are an object's, by the standard library; nil where it is none.
func members(text []byte) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(text, &all) != nil {
		return nil
	}
	return all
}

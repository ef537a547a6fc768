package seal_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func TestRingKeepsTheSealersPromises(t *testing.T) {
	t.Parallel()
	portstest.RunSealer(t, portstest.Sealing{
		NewKey: seal.GenerateKey,
		Open:   func(t testing.TB, keys ...string) ports.Sealer { return ring(t, keys...) },
	})
}

func ring(t testing.TB, keys ...string) *seal.Ring {
	t.Helper()
	r, err := seal.New(keys)
	require.NoError(t, err)
	return r
}

// Keys come out of many tools, most of which know no ids.
func TestKeyWithoutAnID(t *testing.T) {
	t.Parallel()
	bare := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xA7}, 32))
	sealed, err := ring(t, bare).Seal("place", []byte("x"))
	require.NoError(t, err)
	opened, err := ring(t, seal.GenerateKey(), bare).Open("place", sealed)
	require.NoError(t, err)
	require.Equal(t, "x", string(opened))
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	material := bytes.Repeat([]byte{0xA7}, 32)
	good := base64.StdEncoding.EncodeToString(material)
	cases := []struct {
		name string
		keys []string
		want string
	}{
		{"none", nil, "no encryption key"},
		{"a word", []string{"secret"}, "encryption key 1: must have the form"},
		{"no id", []string{":" + good}, "must have an id"},
		{"long id", []string{strings.Repeat("k", 33) + ":" + good}, "must have an id"},
		{"odd id", []string{"k 1:" + good}, "must have only letters"},
		{"short material", []string{"k1:" + base64.StdEncoding.EncodeToString(material[:31])}, "with 32 bytes"},
		{"long material", []string{"k1:" + base64.StdEncoding.EncodeToString(append(material, 1))}, "with 32 bytes"},
		{"not base64", []string{"k1:" + strings.Repeat("*", 44)}, "with 32 bytes"},
		{"zeros", []string{"k1:" + base64.StdEncoding.EncodeToString(make([]byte, 32))}, "all zeros"},
		{"second is bad", []string{"k1:" + good, "k2"}, "encryption key 2"},
		{"same id twice", []string{"k1:" + good, "k1:" + good}, "same id"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := seal.New(c.keys)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), good[:8], "an error never repeats a key")
		})
	}
	_, err := seal.New(nil)
	require.ErrorIs(t, err, seal.ErrNoKeys)
}

func TestKeysInEveryFormOfBase64(t *testing.T) {
	t.Parallel()
	material := bytes.Repeat([]byte{0xFB, 0xEF}, 16)
	sealed, err := ring(t, "k1:"+base64.StdEncoding.EncodeToString(material)).Seal("a.b:1", []byte("text"))
	require.NoError(t, err)
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		opened, err := ring(t, " k1:"+encoding.EncodeToString(material)+" ").Open("a.b:1", sealed)
		require.NoError(t, err)
		require.Equal(t, []byte("text"), opened)
	}
}

func TestGeneratedKeysDifferAndAreGood(t *testing.T) {
	t.Parallel()
	first, second := seal.GenerateKey(), seal.GenerateKey()
	require.NotEqual(t, first, second)
	r := ring(t, first, second)
	require.Equal(t, strings.Split(first, ":")[0], r.CurrentKeyID())
}

func TestPrintingARingShowsNoKey(t *testing.T) {
	t.Parallel()
	key := "k1:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("S"), 32))
	r := ring(t, key)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text := fmt.Sprintf(verb, r)
		require.NotContains(t, text, "SSSS", verb)
		require.NotContains(t, text, "5353", verb)
		require.NotContains(t, text, strings.Split(key, ":")[1], verb)
	}
	require.Equal(t, "ring of 1 keys, current k1", r.String())
}

func TestPlainIsMarkedAndReadByRingsThatAcceptIt(t *testing.T) {
	t.Parallel()
	plain := seal.Plain()
	stored, err := plain.Seal("a.b:1", []byte("text"))
	require.NoError(t, err)
	require.Equal(t, []byte("\x00text"), stored)
	opened, err := plain.Open("a.b:1", stored)
	require.NoError(t, err)
	require.Equal(t, []byte("text"), opened)

	r := ring(t, seal.GenerateKey())
	_, err = r.Open("a.b:1", stored)
	require.ErrorIs(t, err, ports.ErrUnsealable, "a ring refuses plain values unless told otherwise")
	opened, err = r.AcceptPlain().Open("a.b:1", stored)
	require.NoError(t, err)
	require.Equal(t, []byte("text"), opened)

	sealed, err := r.AcceptPlain().Seal("a.b:1", []byte("text"))
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "text", "accepting is not writing")
	_, err = plain.Open("a.b:1", sealed)
	require.ErrorIs(t, err, ports.ErrUnsealable)

	empty, err := plain.Seal("a.b:1", nil)
	require.NoError(t, err)
	require.Empty(t, empty)
	empty, err = plain.Open("a.b:1", nil)
	require.NoError(t, err)
	require.Empty(t, empty)
}

func BenchmarkSeal3KiB(b *testing.B) {
	r := ring(b, seal.GenerateKey())
	body := bytes.Repeat([]byte("x"), 3<<10)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Seal("journal.record", body); err != nil {
			b.Fatal(err)
		}
	}
}

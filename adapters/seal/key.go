package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	keyBytes           = 32 // AES-256
	keyIDCharactersMax = 32
	// KeysMax is the most keys a ring holds; enough for years of rotation.
	KeysMax = 64
)

// key is one key of a ring. Its material is inside the cipher and nowhere else.
type key struct {
	id     string
	header []byte // version, length of the id, id: how everything this key seals begins
	aead   cipher.AEAD
	marks  []byte // derived from the material, and tells nothing of it
}

// GenerateKey makes a new key in the form that [New] takes, under a random id. What it
// returns is the secret itself: show it once and never log it.
func GenerateKey() string {
	var id [4]byte
	var material [keyBytes]byte
	_, _ = rand.Read(id[:]) // never fails: it ends the program instead
	_, _ = rand.Read(material[:])
	return "k" + hex.EncodeToString(id[:]) + ":" + base64.StdEncoding.EncodeToString(material[:])
}

// parseKey reads "ID:BASE64", or "BASE64" alone, which gets an id that is told from the
// key. Its errors never repeat the text: whatever was put where a key belongs may be one.
func parseKey(text string) (key, error) {
	id, encoded, named := strings.Cut(strings.TrimSpace(text), ":")
	if !named {
		id, encoded = "", id
	} else if err := checkKeyID(id); err != nil {
		return key{}, err
	}
	material, err := decodeBase64(encoded)
	if err != nil || len(material) != keyBytes {
		return key{}, fmt.Errorf("must have the form ID:BASE64 with %d bytes in base64", keyBytes)
	}
	if !named {
		sum := sha256.Sum256(material) // a few bits of it tell keys apart and give nothing away
		id = "k" + hex.EncodeToString(sum[:4])
	}
	if [keyBytes]byte(material) == [keyBytes]byte{} {
		return key{}, errors.New("must not be all zeros")
	}
	marks := authenticated(material, marksPurpose)
	block, err := aes.NewCipher(material)
	clear(material)
	if err != nil {
		return key{}, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return key{}, fmt.Errorf("make cipher: %w", err)
	}
	header := append([]byte{versionSealed, byte(len(id))}, id...)
	return key{id: id, header: header, aead: aead, marks: marks}, nil
}

const (
	// marksPurpose tells the key of marks from all else that may be derived from the same material.
	marksPurpose = "paydesk marks 1"
	// markBytes is enough for no two texts to meet by chance.
	markBytes = 16
)

func authenticated(secret []byte, text string) []byte {
	sum := hmac.New(sha256.New, secret)
	sum.Write([]byte(text))
	return sum.Sum(nil)
}

// mark is of a text of a kind. The kind's length is part of it, so that none passes for another.
func mark(secret []byte, kind string, plain []byte) []byte {
	return authenticated(secret, fmt.Sprintf("%d:%s%s", len(kind), kind, plain))[:markBytes]
}

func checkKeyID(id string) error {
	if id == "" || len(id) > keyIDCharactersMax {
		return fmt.Errorf("must have an id of 1 to %d characters before the colon", keyIDCharactersMax)
	}
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return errors.New("must have only letters, digits, - and _ before the colon")
		}
	}
	return nil
}

// decodeBase64 takes both alphabets, with and without padding: keys come out of many tools.
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}

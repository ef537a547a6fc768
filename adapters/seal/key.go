package seal

import (
	"crypto/aes"
	"crypto/cipher"
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
	return key{id: id, header: header, aead: aead}, nil
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

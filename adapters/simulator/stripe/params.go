package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of metadata.
//
// Source: docs.stripe.com/api/metadata.
const (
	metadataKeysMax        = 50
	metadataKeyCharsMax    = 40
	metadataValueCharsMax  = 500
	descriptionCharsMax    = 1000
	statementCharsMax      = 22
	expansionsMax          = 20
	parametersMax          = 500
	parameterNameCharsMost = 200 // of a name that is told back
)

// request is a call with its parameters, flat: "metadata[x]".
type request struct {
	id     string // from the path
	params map[string]string
	public bool    // called with the publishable key
	base   string  // where the simulator was reached
	file   *upload // nil for none
}

// read checks who calls and what with. The order is Stripe's: who it is, then what the
// parameters are, then what they say.
func (s *Server) read(r *http.Request, c call, body []byte) (*request, *result) {
	if version := r.Header.Get("Stripe-Version"); version != "" && version != apiVersion {
		return bad(invalid("", "", "Invalid Stripe API version: "+clip(version)))
	}
	in := &request{id: r.PathValue("id"), params: make(map[string]string), base: "http://" + r.Host}
	texts := []string{r.URL.RawQuery}
	if r.Method != http.MethodGet && len(body) > 0 {
		kind, more, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch {
		case err == nil && kind == "multipart/form-data" && c.uploads:
			if out := in.takeParts(body, more["boundary"]); out != nil {
				return nil, out
			}
		case err != nil || kind != "application/x-www-form-urlencoded":
			return bad(invalid("", "", "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."))
		default:
			texts = append(texts, string(body))
		}
	}
	for _, text := range texts {
		values, err := url.ParseQuery(text)
		if err != nil {
			return bad(invalid("", "", "Invalid request: the parameters are not form-encoded."))
		}
		in.take(values)
	}
	if out := s.identify(r, c, in); out != nil {
		return nil, out
	}
	if len(in.params) > parametersMax {
		return bad(invalid("", "", "Invalid request: too many parameters."))
	}
	for _, name := range slices.Sorted(maps.Keys(in.params)) {
		if !slices.ContainsFunc(c.allowed, func(pattern string) bool { return fits(pattern, name) }) {
			name = name[:min(len(name), parameterNameCharsMost)]
			return bad(invalid("parameter_unknown", name, "Received unknown parameter: "+name))
		}
	}
	return in, in.checkExpansions(c)
}

func bad(out result) (*request, *result) { return nil, &out }

// take takes parameters in. Lists may be written a[]=x as well as a[0]=x.
func (in *request) take(values url.Values) {
	for name, all := range values {
		for i, value := range all {
			if list, ok := strings.CutSuffix(name, "[]"); ok {
				in.params[fmt.Sprintf("%s[%d]", list, i)] = value
			} else {
				in.params[name] = value
			}
		}
	}
}

// identify checks the key. The publishable one opens a payment to whoever knows its
// client secret, and nothing else.
//
// Source: docs.stripe.com/api/authentication, docs.stripe.com/keys.
func (s *Server) identify(r *http.Request, c call, in *request) *result {
	key := in.params["key"]
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		key = given
	} else if user, _, ok := r.BasicAuth(); ok {
		key = user
	}
	var out result
	switch {
	case key == "":
		out = refused(http.StatusUnauthorized, apiError{
			Type:    typeInvalidRequest,
			Message: "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.",
		})
	case same(key, s.SecretKey):
		return nil
	case !same(key, s.PublishableKey):
		out = refused(http.StatusUnauthorized, apiError{Type: typeInvalidRequest, Message: "Invalid API Key provided: " + masked(key)})
	case !c.public:
		out = refused(http.StatusForbidden, apiError{
			Type: typeInvalidRequest, Code: "secret_key_required",
			Message: "This API call cannot be made with a publishable API key. Please use a secret API key.",
		})
	case in.params["client_secret"] == "":
		out = missingParam("client_secret")
	default:
		in.public = true
		return nil
	}
	return &out
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// masked is a key as an error may repeat it.
func masked(key string) string {
	if len(key) < 16 {
		return "****"
	}
	return key[:8] + "****" + key[len(key)-4:]
}

// fits reports whether a name has the form of a pattern, in which * is any key.
func fits(pattern, name string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, before)
	end := strings.IndexAny(rest, "[]")
	return ok && end > 0 && fits(after, rest[end:])
}

// checkExpansions refuses to expand what is no reference.
//
// Source: docs.stripe.com/api/expanding_objects.
func (in *request) checkExpansions(c call) *result {
	count := 0
	for name, value := range in.params {
		if !fits("expand[*]", name) {
			continue
		}
		count++
		if !slices.Contains(c.expandable, value) || count > expansionsMax {
			out := invalid("", "expand", "This property cannot be expanded ("+value[:min(len(value), parameterNameCharsMost)]+").")
			return &out
		}
	}
	return nil
}

// expands reports whether a reference is to be replaced by its object; in lists, the name
// comes after "data.".
func (in *request) expands(name string) bool {
	for key, value := range in.params {
		if fits("expand[*]", key) && strings.TrimPrefix(value, "data.") == name {
			return true
		}
	}
	return false
}

// reaches reports whether a reference is to be replaced by its object, for its own sake or for
// one inside of it.
func (in *request) reaches(name string) bool {
	for key, value := range in.params {
		value = strings.TrimPrefix(value, "data.")
		if fits("expand[*]", key) && (value == name || strings.HasPrefix(value, name+".")) {
			return true
		}
	}
	return false
}

// integer reads a whole number. It is missing where ok is false and out is nil.
func (in *request) integer(name string, least, most int64) (value int64, ok bool, out *result) {
	text, given := in.params[name]
	if !given || text == "" {
		return 0, false, nil
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err == nil && value >= least && value <= most {
		return value, true, nil
	}
	problem := invalidInteger(name)
	if err == nil {
		problem = invalid("parameter_invalid_integer", name, fmt.Sprintf("Invalid integer: %s must be from %d to %d.", name, least, most))
	}
	return 0, false, &problem
}

// boolean reads true or false; the given one where it is missing.
func (in *request) boolean(name string, otherwise bool) (bool, *result) {
	switch in.params[name] {
	case "":
		return otherwise, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	out := invalid("parameter_invalid_boolean", name, "Invalid boolean: "+name)
	return false, &out
}

// choice reads one of some words; the first one where it is missing.
func (in *request) choice(name string, words ...string) (string, *result) {
	text := in.params[name]
	if text == "" {
		return words[0], nil
	}
	if !slices.Contains(words, text) {
		out := invalid("", name, "Invalid "+name+": must be one of "+strings.Join(words, ", ")+".")
		return "", &out
	}
	return text, nil
}

// text reads a text of at most so many characters; nil where it is missing or empty.
func (in *request) text(name string, charsMax int) (*string, *result) {
	value := in.params[name]
	if value == "" {
		return nil, nil //nolint:nilnil // no text is no mistake
	}
	if utf8.RuneCountInString(value) > charsMax {
		out := invalid("", name, fmt.Sprintf("Invalid string: %s must be at most %d characters.", name, charsMax))
		return nil, &out
	}
	return &value, nil
}

// metadata reads metadata over what there is already; an empty value takes a key away.
func (in *request) metadata(present map[string]string) (map[string]string, *result) {
	metadata := maps.Clone(present)
	if metadata == nil {
		metadata = make(map[string]string)
	}
	for name, value := range in.params {
		key, ok := strings.CutPrefix(name, "metadata[")
		if !ok {
			continue
		}
		key = strings.TrimSuffix(key, "]")
		if utf8.RuneCountInString(key) > metadataKeyCharsMax || utf8.RuneCountInString(value) > metadataValueCharsMax {
			out := invalid("", "metadata", fmt.Sprintf("Metadata keys can have at most %d characters, values %d.", metadataKeyCharsMax, metadataValueCharsMax))
			return nil, &out
		}
		if value == "" {
			delete(metadata, key)
		} else {
			metadata[key] = value
		}
	}
	if len(metadata) > metadataKeysMax {
		out := invalid("", "metadata", fmt.Sprintf("Metadata can have at most %d keys.", metadataKeysMax))
		return nil, &out
	}
	return metadata, nil
}

// fingerprint tells whether two requests are the same. It is keyed, because the
// parameters may be a card's, which a plain hash would give away.
func (s *Server) fingerprint(r *http.Request, in *request) string {
	sum := hmac.New(sha256.New, s.secret)
	_, _ = fmt.Fprintf(sum, "%s %s\n", r.Method, r.URL.Path)
	for _, name := range slices.Sorted(maps.Keys(in.params)) {
		_, _ = fmt.Fprintf(sum, "%q=%q\n", name, in.params[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

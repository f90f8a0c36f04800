// Package strictjson decodes JSON that people or this project's own code wrote, in which
// everything unexpected is a mistake.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Decode decodes text into the value that into points to. It returns an error for a field
// that the value does not have, because a misspelt "Path" must not clear everything, and
// for text after the JSON value.
func Decode[Text ~string | ~[]byte](text Text, into any) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}

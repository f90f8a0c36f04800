package fakeaws

import (
	"encoding/xml"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

// newXMLService returns a global service that replies in XML of a namespace. AWS documents the status 403 for
// IncompleteSignature, but users report 400: https://github.com/hashicorp/terraform-provider-aws/issues/26202
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
func newXMLService(name, namespace, cutOff string) *service {
	return &service{
		name:            name,
		global:          true,
		refuse:          func(refusal apiError) reply { return refuseXML(namespace, refusal) },
		cutOff:          cutOff,
		unsigned:        apiError{"MissingAuthenticationToken", "Request is missing Authentication Token", http.StatusForbidden},
		garbled:         apiError{code: "IncompleteSignature", status: http.StatusBadRequest},
		mismatch:        apiError{code: "SignatureDoesNotMatch", status: http.StatusForbidden},
		misscoped:       apiError{code: "SignatureDoesNotMatch", status: http.StatusForbidden},
		untimely:        apiError{code: "SignatureDoesNotMatch", status: http.StatusForbidden},
		maxSignatureAge: maxSignatureAge,
		unknownKey:      apiError{"InvalidClientTokenId", "The security token included in the request is invalid.", http.StatusForbidden},
		expiredKey:      apiError{"ExpiredToken", "The security token included in the request is expired", http.StatusForbidden},
		accessDenied:    apiError{code: "AccessDenied", status: http.StatusForbidden},
		throttled:       apiError{"Throttling", "Rate exceeded", http.StatusBadRequest},
		failed:          internalFailure,
	}
}

func refuseXML(namespace string, refusal apiError) reply {
	type detail struct{ Type, Code, Message string }
	who := "Sender"
	if refusal.status >= http.StatusInternalServerError {
		who = "Receiver"
	}
	id := uuid.NewString()
	body := mustMarshalXML(struct {
		XMLName   xml.Name
		Error     detail
		RequestID string `xml:"RequestId"`
	}{
		XMLName:   xml.Name{Space: namespace, Local: "ErrorResponse"},
		Error:     detail{Type: who, Code: refusal.code, Message: refusal.message},
		RequestID: id,
	})
	return reply{status: refusal.status, header: xmlHeader(id), body: body, errCode: refusal.code}
}

func xmlHeader(requestID string) map[string]string {
	return map[string]string{"Content-Type": "text/xml", "X-Amzn-Requestid": requestID}
}

// mustMarshalXML marshals a struct of this package, which cannot fail.
func mustMarshalXML(v any) []byte {
	body, err := xml.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal %T: %v", v, err))
	}
	return append([]byte(xml.Header), body...)
}

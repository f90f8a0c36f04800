package fakeaws

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

const jsonContentType = "application/x-amz-json-1.1"

// newJSONService returns a service with AWS's JSON 1.1 protocol.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
func newJSONService(name string) *service {
	return &service{
		name:            name,
		refuse:          refuseJSON,
		cutOff:          `{"lifecycleEv`,
		unsigned:        apiError{"MissingAuthenticationTokenException", "Missing Authentication Token", http.StatusBadRequest},
		garbled:         apiError{code: "IncompleteSignatureException", status: http.StatusBadRequest},
		mismatch:        apiError{code: "InvalidSignatureException", status: http.StatusBadRequest},
		misscoped:       apiError{code: "InvalidSignatureException", status: http.StatusBadRequest},
		untimely:        apiError{code: "InvalidSignatureException", status: http.StatusBadRequest},
		maxSignatureAge: maxSignatureAge,
		unknownKey:      apiError{"UnrecognizedClientException", "The security token included in the request is invalid.", http.StatusBadRequest},
		expiredKey:      apiError{"ExpiredTokenException", "The security token included in the request is expired", http.StatusBadRequest},
		accessDenied:    apiError{code: "AccessDeniedException", status: http.StatusBadRequest},
		throttled:       apiError{"ThrottlingException", "Rate exceeded", http.StatusBadRequest},
		failed:          internalFailure,
	}
}

// jsonRequest finds the service and the operation by the header X-Amz-Target, such as
// "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus".
func (c *Cloud) jsonRequest(r *http.Request, target string, body []byte) *request {
	prefix, operation, _ := strings.Cut(target, ".")
	var svc *service
	var find func(operation string, body []byte, call *Call) func() reply
	switch prefix {
	case "CodePipeline_20150709":
		svc, find = codePipeline, c.codePipelineOperation
	case "CodeDeploy_20141006":
		svc, find = codeDeploy, c.codeDeployOperation
	case "AmazonEC2ContainerServiceV20141113":
		svc, find = ecs, c.serviceDeploymentOperation
	default:
		name, _, _ := strings.Cut(prefix, "_")
		svc = newJSONService(strings.ToLower(name))
	}

	req := &request{svc: svc, call: Call{Action: svc.name + ":" + operation, Resource: "*"}}
	switch {
	case find == nil || r.Method != http.MethodPost || r.URL.Path != "/":
		req.call.Action = unknownAction(svc, r) + " " + target
	case isJSON(r.Header.Get("Content-Type")):
		req.run = find(operation, body, &req.call)
	}
	if req.run == nil {
		req.run = func() reply {
			return refuseJSON(apiError{"UnknownOperationException", "The double of AWS does not know " + target, http.StatusBadRequest})
		}
	}
	return req
}

// isJSON says whether a Content-Type is the protocol's. It may have parameters, such as a charset.
func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == jsonContentType
}

// decodeJSON decodes a body. It refuses members that AWS's model does not have: AWS ignores them, and so would ignore the
// content of a misspelt member. into must be a struct that marshals all its members, absent ones as null.
func decodeJSON(body []byte, into any) *apiError {
	if err := json.Unmarshal(body, into); err != nil {
		return &apiError{"SerializationException", err.Error(), http.StatusBadRequest}
	}
	var sent, understood any
	_, _ = json.Unmarshal(body, &sent), json.Unmarshal(mustMarshalJSON(into), &understood) // Both are valid JSON.
	if member := unknownMember(sent, understood); member != "" {
		refusal := validationError(fmt.Sprintf("the model has no member %q", member))
		return &refusal
	}
	return nil
}

// unknownMember returns the path of a member that was sent but not decoded, or "" if there is none. The decoder alone is
// not enough, because it ignores the case of names.
func unknownMember(sent, understood any) string {
	members, _ := sent.(map[string]any)
	known, _ := understood.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if _, ok := known[name]; !ok {
			return name
		}
		if deeper := unknownMember(members[name], known[name]); deeper != "" {
			return name + "." + deeper
		}
	}
	return ""
}

func validationError(message string) apiError {
	return apiError{"ValidationException", message, http.StatusBadRequest}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// acceptJSON returns a reply with output. Without output AWS sends an empty body.
func acceptJSON(output map[string]any) reply {
	rep := reply{status: http.StatusOK, header: jsonHeader()}
	if output != nil {
		rep.body = mustMarshalJSON(output)
	}
	return rep
}

func refuseJSON(refusal apiError) reply {
	body := mustMarshalJSON(map[string]string{"__type": refusal.code, "message": refusal.message})
	return reply{status: refusal.status, header: jsonHeader(), body: body, errCode: refusal.code}
}

func jsonHeader() map[string]string {
	return map[string]string{"Content-Type": jsonContentType, "X-Amzn-Requestid": uuid.NewString()}
}

// mustMarshalJSON marshals a value of this package, which cannot fail.
func mustMarshalJSON(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal %T: %v", v, err))
	}
	return body
}

package fakeaws

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// CloudFront's quotas on invalidations.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
const (
	maxBatchPaths           = 3000 // in one request
	defaultMaxFilePaths     = 3000 // in progress, per distribution
	defaultMaxWildcardPaths = 15   // in progress, per distribution, on top of file paths
	maxPathLength           = 4000 // characters
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
	maxTagLength = 256 // characters, without the "#"
)

// The two states of an invalidation; the SDK's waiter compares with exactly these.
const (
	statusInProgress = "InProgress"
	statusCompleted  = "Completed"
)

// cloudFrontPath begins the path of each request to CloudFront.
const cloudFrontPath = "/2020-05-31/"

var cloudFront = newXMLService("cloudfront", "http://cloudfront.amazonaws.com/doc/2020-05-31/", "<Invalidat")

// Distribution is one CloudFront distribution.
type Distribution struct {
	// ID is the distribution's id, such as "EDFDVBD6EXAMPLE". Required.
	ID string
	// Account is the distribution's account. Callers from other accounts do not find the distribution. Default: the
	// cloud's account.
	Account string
	// CompleteAfter is the time that an invalidation stays InProgress, by the cloud's clock.
	CompleteAfter time.Duration
	// CompleteAfterGets is the number of the GetInvalidation call that is the first to return Completed, if
	// CompleteAfter has passed by then. Default: only CompleteAfter counts.
	CompleteAfterGets int
	// MaxFilePaths and MaxWildcardPaths are the quotas of paths in progress. Cache tags count as file paths. Default:
	// AWS's quotas, 3,000 and 15.
	MaxFilePaths, MaxWildcardPaths int
}

// Invalidation is an invalidation that the cloud has accepted.
type Invalidation struct {
	ID, DistributionID, CallerReference string
	Paths                               []string // as sent
	Created                             time.Time
	Status                              string // "InProgress" or "Completed"
}

type distribution struct {
	Distribution
	invalidations []*invalidation
}

type invalidation struct {
	Invalidation
	gets int
}

// AddDistribution adds a distribution. It replaces a distribution with the same id and removes its invalidations.
func (c *Cloud) AddDistribution(d Distribution) {
	if d.Account == "" {
		d.Account = c.opts.Account
	}
	if d.MaxFilePaths == 0 {
		d.MaxFilePaths = defaultMaxFilePaths
	}
	if d.MaxWildcardPaths == 0 {
		d.MaxWildcardPaths = defaultMaxWildcardPaths
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.distributions[d.ID] = &distribution{Distribution: d}
}

// Invalidations returns the invalidations of a distribution in order of creation with their current status. It
// returns nil for an unknown distribution.
func (c *Cloud) Invalidations(distributionID string) []Invalidation {
	c.mu.Lock()
	defer c.mu.Unlock()
	dist := c.distributions[distributionID]
	if dist == nil {
		return nil
	}
	var all []Invalidation
	for _, inv := range dist.invalidations {
		dist.settle(inv, c.opts.Now())
		snapshot := inv.Invalidation
		snapshot.Paths = slices.Clone(inv.Paths)
		all = append(all, snapshot)
	}
	return all
}

// settle updates an invalidation's status.
func (d *distribution) settle(inv *invalidation, now time.Time) {
	if inv.gets >= d.CompleteAfterGets && now.Sub(inv.Created) >= d.CompleteAfter {
		inv.Status = statusCompleted
	}
}

// cloudFrontRequest tells CloudFront's operations apart by method and path.
func (c *Cloud) cloudFrontRequest(r *http.Request, body []byte) *request {
	req := &request{svc: cloudFront}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, cloudFrontPath), "/")
	isInvalidation := strings.HasPrefix(r.URL.Path, cloudFrontPath) &&
		len(parts) >= 3 && parts[0] == "distribution" && parts[2] == "invalidation"
	account := c.callersAccount(r)
	if isInvalidation {
		req.call.Resource = fmt.Sprintf("arn:aws:cloudfront::%s:distribution/%s", account, parts[1])
	}
	switch {
	case isInvalidation && len(parts) == 3 && r.Method == http.MethodPost:
		req.call.Action = "cloudfront:CreateInvalidation"
		req.run = func() reply { return c.createInvalidation(account, parts[1], body) }
	case isInvalidation && len(parts) == 4 && r.Method == http.MethodGet:
		req.call.Action = "cloudfront:GetInvalidation"
		req.run = func() reply { return c.getInvalidation(account, parts[1], parts[3]) }
	default:
		req.call.Action, req.call.Resource = unknownAction(cloudFront, r), "*"
		req.run = func() reply {
			return cloudFront.refuse(apiError{"UnknownOperationException", "The double of CloudFront does not support " + r.Method + " " + r.URL.Path, http.StatusNotFound})
		}
	}
	return req
}

// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
func (c *Cloud) createInvalidation(account, distributionID string, body []byte) reply {
	dist := c.distributions[distributionID]
	if dist == nil || dist.Account != account {
		return cloudFront.refuse(noSuchDistribution)
	}
	batch, refusal := parseBatch(body)
	if refusal != nil {
		return cloudFront.refuse(*refusal)
	}

	now := c.opts.Now()
	var files, wildcards int
	for _, inv := range dist.invalidations {
		dist.settle(inv, now)
		if inv.CallerReference == *batch.CallerReference {
			// AWS documents "same paths", but not whether their order matters. Here it does, so that callers sort their
			// paths and are right in both cases.
			if slices.Equal(inv.Paths, batch.Paths.Items) {
				return dist.invalidationReply(http.StatusCreated, inv)
			}
			// AWS documents InvalidationBatchAlreadyExists, but users report this error.
			return cloudFront.refuse(apiError{"InvalidArgument", "Your request contains a caller reference that was used for a previous invalidation batch for the same distribution.", http.StatusBadRequest})
		}
		if inv.Status == statusInProgress {
			f, w := countPaths(inv.Paths)
			files, wildcards = files+f, wildcards+w
		}
	}
	newFiles, newWildcards := countPaths(batch.Paths.Items)
	if files+newFiles > dist.MaxFilePaths || wildcards+newWildcards > dist.MaxWildcardPaths {
		return cloudFront.refuse(apiError{"TooManyInvalidationsInProgress", "Your request was rejected because you have too many invalidations in progress. Your request exceeds the limit for this distribution.", http.StatusBadRequest})
	}

	inv := &invalidation{Invalidation: Invalidation{
		ID:              "I" + randomString(25, upperAlphanumeric),
		DistributionID:  distributionID,
		CallerReference: *batch.CallerReference,
		Paths:           batch.Paths.Items,
		Created:         now,
		Status:          statusInProgress,
	}}
	dist.invalidations = append(dist.invalidations, inv)
	return dist.invalidationReply(http.StatusCreated, inv)
}

// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetInvalidation.html
func (c *Cloud) getInvalidation(account, distributionID, id string) reply {
	dist := c.distributions[distributionID]
	if dist == nil || dist.Account != account {
		return cloudFront.refuse(noSuchDistribution)
	}
	i := slices.IndexFunc(dist.invalidations, func(inv *invalidation) bool { return inv.ID == id })
	if i < 0 {
		return cloudFront.refuse(apiError{"NoSuchInvalidation", "The specified invalidation does not exist.", http.StatusNotFound})
	}
	inv := dist.invalidations[i]
	inv.gets++
	dist.settle(inv, c.opts.Now())
	return dist.invalidationReply(http.StatusOK, inv)
}

var noSuchDistribution = apiError{"NoSuchDistribution", "The specified distribution does not exist.", http.StatusNotFound}

// invalidationBatch is the body of CreateInvalidation. Pointers distinguish an absent element from an empty one.
// Rest holds elements that AWS's model does not have.
type invalidationBatch struct {
	XMLName         xml.Name `xml:"http://cloudfront.amazonaws.com/doc/2020-05-31/ InvalidationBatch"`
	CallerReference *string  `xml:"CallerReference"`
	Paths           *struct {
		Quantity *int             `xml:"Quantity"`
		Items    []string         `xml:"Items>Path"`
		Rest     []unknownElement `xml:",any"`
	} `xml:"Paths"`
	Rest []unknownElement `xml:",any"`
}

type unknownElement struct{ XMLName xml.Name }

// parseBatch reads the body of CreateInvalidation and makes every check that does not depend on the distribution. It
// does not require a Content-Type, although AWS's message for a missing body names it, because boto3 and the AWS CLI
// send none.
func parseBatch(body []byte) (*invalidationBatch, *apiError) {
	if len(body) == 0 {
		return nil, &apiError{"MissingBody", "This operation requires a body. Ensure that the body is present and the Content-Type header is set.", http.StatusBadRequest}
	}
	malformed := func(detail string) *apiError {
		return &apiError{"MalformedInput", "Could not parse XML: " + detail, http.StatusBadRequest}
	}
	var batch invalidationBatch
	decoder := xml.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&batch); err != nil {
		return nil, malformed(err.Error())
	}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if text, ok := token.(xml.CharData); !ok || len(bytes.TrimSpace(text)) > 0 {
			return nil, malformed("content after the document element")
		}
	}
	rest := batch.Rest
	if batch.Paths != nil {
		rest = append(rest, batch.Paths.Rest...)
	}
	if len(rest) > 0 {
		return nil, malformed("unexpected element " + rest[0].XMLName.Local)
	}

	var missing string
	switch {
	case batch.CallerReference == nil || *batch.CallerReference == "":
		missing = "invalidationBatch.callerReference"
	case batch.Paths == nil:
		missing = "invalidationBatch.paths"
	case batch.Paths.Quantity == nil:
		missing = "invalidationBatch.paths.quantity"
	}
	if missing != "" {
		return nil, &apiError{"MalformedXML", fmt.Sprintf("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", missing), http.StatusBadRequest}
	}

	items := batch.Paths.Items
	if *batch.Paths.Quantity != len(items) {
		return nil, &apiError{"InconsistentQuantities", "The value of Quantity and the size of Items do not match.", http.StatusBadRequest}
	}
	if len(items) > maxBatchPaths {
		return nil, &apiError{"BatchTooLarge", "Your request contains too many invalidation paths.", http.StatusRequestEntityTooLarge}
	}
	if len(items) == 0 || slices.ContainsFunc(items, func(path string) bool { return !validPath(path) }) {
		return nil, &apiError{"InvalidArgument", "Your request contains one or more invalid invalidation paths.", http.StatusBadRequest}
	}
	return &batch, nil
}

// validPath reports whether CloudFront accepts path, which is a URL path or "#" and a cache tag.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
func validPath(path string) bool {
	if len(path) > maxPathLength { // The checks below accept only ASCII, so a byte is a character.
		return false
	}
	if tag, ok := strings.CutPrefix(path, "#"); ok {
		return tag != "" && len(tag) <= maxTagLength && !strings.ContainsFunc(tag, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '*' || r == ',' })
	}
	if !strings.HasPrefix(path, "/") {
		return false
	}
	if i := strings.IndexByte(path, '*'); i >= 0 && i != len(path)-1 {
		return false
	}
	for i, b := range []byte(path) {
		switch {
		case b == '%':
			if i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) {
				return false
			}
		case b <= ' ' || b >= 0x7f || strings.IndexByte(unsafeCharacters, b) >= 0:
			return false
		}
	}
	return true
}

// unsafeCharacters lists printable ASCII characters that must be URL-encoded in a path, by section 2.2 of RFC 1738,
// to which CloudFront's documentation refers. validPath checks "%" separately.
const unsafeCharacters = "<>\"#{}|\\^~[]`"

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}

// countPaths counts the paths of the two kinds, which have separate quotas.
func countPaths(paths []string) (files, wildcards int) {
	for _, path := range paths {
		if strings.HasSuffix(path, "*") {
			wildcards++
		} else {
			files++
		}
	}
	return files, wildcards
}

func (d *distribution) invalidationReply(status int, inv *invalidation) reply {
	type paths struct {
		Quantity int
		Items    []string `xml:"Items>Path"`
	}
	type batch struct {
		Paths           paths
		CallerReference string
	}
	body := mustMarshalXML(struct {
		XMLName           xml.Name `xml:"http://cloudfront.amazonaws.com/doc/2020-05-31/ Invalidation"`
		ID                string   `xml:"Id"`
		Status            string
		CreateTime        string
		InvalidationBatch batch
	}{
		ID:         inv.ID,
		Status:     inv.Status,
		CreateTime: inv.Created.UTC().Format("2006-01-02T15:04:05.000Z"),
		InvalidationBatch: batch{
			Paths:           paths{Quantity: len(inv.Paths), Items: inv.Paths},
			CallerReference: inv.CallerReference,
		},
	})
	header := xmlHeader(uuid.NewString())
	if status == http.StatusCreated {
		header["Location"] = fmt.Sprintf("https://cloudfront.amazonaws.com/2020-05-31/distribution/%s/invalidation/%s", d.ID, inv.ID)
	}
	return reply{status: status, header: header, body: body}
}

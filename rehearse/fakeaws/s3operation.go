package fakeaws

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

const (
	copySourceHeader    = "X-Amz-Copy-Source"
	encryptionHeader    = "X-Amz-Server-Side-Encryption"
	encryptionKeyHeader = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	metadataPrefix      = "X-Amz-Meta-"
	checksumPrefix      = "X-Amz-Checksum-"
)

// S3's limits on an object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const (
	maxKeyBytes      = 1024
	maxMetadataBytes = 2 << 10 // of all keys and values that the user defines
	maxHeaderBytes   = 8 << 10 // of the headers of a PUT
	maxPutBytes      = 5 << 30
	maxListedKeys    = 1000
)

// s3Operation is an operation of S3 that the double supports.
type s3Operation struct {
	name   string
	action string // of IAM, without "s3:"
	method string
	ofKey  bool // whether it is on an object, and not on a bucket
	// mark is the query parameter or the header that tells the operation from the others with its method.
	mark string
	// query and headers are the query parameters and the headers of S3's own that may occur, besides mark. A header
	// that ends in "-" is a prefix.
	query, headers []string
	writes         bool // whether it stores or removes an object
	run            func(s3Call) reply
}

// s3Operations are tried in this order.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
var s3Operations = []*s3Operation{
	{
		name: "ListObjectsV2", action: "ListBucket", method: http.MethodGet, mark: "list-type",
		query: []string{"prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type", "fetch-owner"},
		run:   s3Call.pass,
	},
	{
		name: "DeleteObjects", action: "DeleteObject", method: http.MethodPost, mark: "delete",
		headers: []string{checksumPrefix, "X-Amz-Sdk-Checksum-Algorithm"},
		run:     s3Call.deleteObjects,
	},
	{
		name: "CopyObject", action: "PutObject", method: http.MethodPut, ofKey: true, mark: copySourceHeader, writes: true,
		headers: []string{copySourceHeader + "-", "X-Amz-Metadata-Directive", "X-Amz-Tagging-Directive", "X-Amz-Checksum-Algorithm", metadataPrefix, encryptionHeader, encryptionKeyHeader},
		run:     s3Call.copyObject,
	},
	{
		name: "PutObject", action: "PutObject", method: http.MethodPut, ofKey: true, writes: true,
		headers: []string{checksumPrefix, "X-Amz-Sdk-Checksum-Algorithm", metadataPrefix, encryptionHeader, encryptionKeyHeader},
		run:     s3Call.put,
	},
	{
		name: "GetObject", action: "GetObject", method: http.MethodGet, ofKey: true,
		headers: []string{"X-Amz-Checksum-Mode"}, run: s3Call.read,
	},
	{
		name: "HeadObject", action: "GetObject", method: http.MethodHead, ofKey: true,
		headers: []string{"X-Amz-Checksum-Mode"}, run: s3Call.read,
	},
	{
		name: "DeleteObject", action: "DeleteObject", method: http.MethodDelete, ofKey: true, writes: true,
		run: s3Call.pass,
	},
}

// findS3Operation returns the operation of a request, or nil for one that the double does not support. Each query
// parameter and each header of S3's own changes what a request does, so that an unknown one makes another operation of it.
func findS3Operation(r *http.Request, bucket, key string) *s3Operation {
	for _, op := range s3Operations {
		if op.method != r.Method || bucket == "" || op.ofKey != (key != "") || op.mark != "" && !op.marks(r) {
			continue
		}
		for name := range r.URL.Query() {
			// The SDK has the operation's name in x-id.
			if name != "x-id" && name != op.mark && !slices.Contains(op.query, name) {
				return nil
			}
		}
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Amz-") && !op.takes(name) {
				return nil
			}
		}
		return op
	}
	return nil
}

func (op *s3Operation) marks(r *http.Request) bool {
	return r.URL.Query().Has(op.mark) || r.Header.Get(op.mark) != ""
}

func (op *s3Operation) takes(header string) bool {
	known := []string{"X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "X-Amz-User-Agent", op.mark}
	return slices.Contains(known, header) || slices.ContainsFunc(op.headers, func(name string) bool {
		return name == header || strings.HasSuffix(name, "-") && strings.HasPrefix(header, name)
	})
}

// unsignedPayload is what X-Amz-Content-Sha256 has in place of the body's hash, if the body is not signed.
const unsignedPayload = "UNSIGNED-PAYLOAD"

// invalid returns S3's refusal of a request that breaks a limit, or nil. What is not checked here, Options.S3 checks.
func (s s3Call) invalid() *apiError {
	refuse := func(status int, code, format string, args ...any) *apiError {
		return &apiError{code, fmt.Sprintf(format, args...), status}
	}
	header := s.r.Header
	if sum, err := hex.DecodeString(s.payload); s.payload != unsignedPayload && (err != nil || len(sum) != 32) {
		return refuse(http.StatusBadRequest, "InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value; the double of S3 supports nothing else, and got %q.", s.payload)
	}
	if len(s.key) > maxKeyBytes {
		return refuse(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	}
	// S3 has such keys. versitygw, which stores objects as files, has not.
	if s.key != "" && (path.Clean("/"+s.key) != "/"+strings.TrimSuffix(s.key, "/") || strings.Contains(s.key, "\x00")) {
		refusal := notImplemented("The double of S3 does not support the key %q: its parts are the names of files", s.key)
		return &refusal
	}
	if s.op.name == "ListObjectsV2" {
		if got := s.r.URL.Query().Get("list-type"); got != "2" {
			return refuse(http.StatusBadRequest, "InvalidArgument", "Invalid List Type specified in Request, list-type is %q", got)
		}
	}
	if s.r.Method != http.MethodPut {
		return nil
	}

	if s.op.name == "CopyObject" {
		source, err := s.source()
		if bucket, key, _ := strings.Cut(source, "/"); err != nil || bucket == "" || key == "" || strings.Contains(header.Get(copySourceHeader), "?") {
			return refuse(http.StatusBadRequest, "InvalidArgument", "Invalid copy source object key: %s", header.Get(copySourceHeader))
		}
	} else if s.r.ContentLength < 0 {
		return refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	if s.r.ContentLength > maxPutBytes {
		return refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	metadata, all := 0, 0
	for name, values := range header {
		for _, value := range values {
			all += len(name) + len(value)
			if key, ok := strings.CutPrefix(name, metadataPrefix); ok {
				metadata += len(key) + len(value)
			}
		}
	}
	switch {
	case metadata > maxMetadataBytes:
		return refuse(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	case all > maxHeaderBytes:
		return refuse(http.StatusBadRequest, "RequestHeaderSectionTooLarge", "Your request header section exceeds the maximum allowed size, with %d bytes", all)
	}
	if none := header.Get("If-None-Match"); none != "" && none != "*" || none != "" && header.Get("If-Match") != "" {
		refusal := notImplemented("A header you provided implies functionality that is not implemented: If-None-Match %s, If-Match %s", none, header.Get("If-Match"))
		return &refusal
	}
	if kind, key := header.Get(encryptionHeader), header.Get(encryptionKeyHeader); kind != "" && kind != "AES256" && kind != "aws:kms" || (kind == "aws:kms") != (key != "") {
		refusal := notImplemented("The double of S3 supports AES256 without a key and aws:kms with one, and got %q with %q", kind, key)
		return &refusal
	}
	return nil
}

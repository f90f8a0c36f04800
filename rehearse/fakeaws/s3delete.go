package fakeaws

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // S3's Content-MD5.
	"crypto/sha1" //nolint:gosec // One of S3's checksums.
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxDeleteBytes limits the body of DeleteObjects: 1,000 keys of which each character is escaped, and their elements.
const maxDeleteBytes = 8 << 20

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

type (
	deleteBatch struct {
		XMLName xml.Name         `xml:"Delete"`
		Objects []deleteObject   `xml:"Object"`
		Quiet   bool             `xml:"Quiet,omitempty"`
		Rest    []unknownElement `xml:",any"`
	}
	deleteObject struct {
		Key  string           `xml:"Key"`
		Rest []unknownElement `xml:",any"`
	}
	deleteResult struct {
		XMLName xml.Name
		Deleted []deletedObject `xml:"Deleted"`
		Errors  []deleteError   `xml:"Error"`
	}
	deletedObject struct{ Key string }
	deleteError   struct{ Key, Code, Message string }
)

// deleteObjects removes objects. IAM decides for each of them, and the reply names those that it denies.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
func (s s3Call) deleteObjects() reply {
	body, err := io.ReadAll(io.LimitReader(s.r.Body, maxDeleteBytes))
	drain(s.r)
	if err != nil {
		return refuseS3(apiError{"IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.", http.StatusBadRequest})
	}
	if refusal := s.corrupted(body); refusal != nil {
		return refuseS3(*refusal)
	}
	malformed := apiError{"MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema", http.StatusBadRequest}
	var batch deleteBatch
	if xml.Unmarshal(body, &batch) != nil || len(batch.Objects) == 0 || len(batch.Objects) > maxListedKeys {
		return refuseS3(malformed)
	}
	var allowed []deleteObject
	result := deleteResult{XMLName: xml.Name{Space: s3Namespace, Local: "DeleteResult"}}
	for _, object := range batch.Objects {
		switch call := (Call{Action: s.call.Action, Operation: s.op.name, Resource: s.call.Resource + "/" + object.Key, Principal: s.call.Principal}); {
		case object.Key == "":
			return refuseS3(malformed)
		case len(object.Rest)+len(batch.Rest) > 0:
			return refuseS3(notImplemented("The double of S3 supports DeleteObjects with Object, Key and Quiet only"))
		default:
			if denied := s.cloud.denied(s3, call); denied != nil {
				result.Errors = append(result.Errors, deleteError{object.Key, denied.code, denied.message})
			} else {
				allowed = append(allowed, object)
			}
		}
	}
	header := map[string]string{"Content-Type": "application/xml"}
	if len(allowed) > 0 {
		rep := s.removed(deleteBatch{Objects: allowed})
		if rep.errCode != "" {
			return rep
		}
		defer rep.close()
		var removed deleteResult
		if err := xml.NewDecoder(rep.content).Decode(&removed); err != nil {
			return refuseS3(s3.failed)
		}
		for _, object := range removed.Deleted {
			s.written(object.Key)
		}
		result.Errors = append(result.Errors, removed.Errors...)
		if !batch.Quiet {
			result.Deleted = removed.Deleted
		}
		header = rep.header
		delete(header, "Content-Length")
	}
	return reply{status: http.StatusOK, header: header, body: mustMarshalXML(result)}
}

// removed has Options.S3 remove objects.
func (s s3Call) removed(batch deleteBatch) reply {
	batch.XMLName = xml.Name{Space: s3Namespace, Local: "Delete"}
	body := mustMarshalXML(batch)
	sum := md5.Sum(body) //nolint:gosec // S3's Content-MD5.
	return s.send(http.MethodPost, bytes.NewReader(body), int64(len(body)), http.Header{
		"Content-Type": {"application/xml"}, "Content-Length": {strconv.Itoa(len(body))},
		"Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}, "X-Amz-Content-Sha256": {hash(body)},
	})
}

// checksums are S3's checksums by the ends of their headers' names.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
var checksums = map[string]func(body []byte) []byte{
	"Crc32": func(body []byte) []byte { return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body)) },
	"Crc32c": func(body []byte) []byte {
		return binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	},
	"Crc64nvme": func(body []byte) []byte {
		return binary.BigEndian.AppendUint64(nil, crc64.Checksum(body, crc64.MakeTable(0x9a6c9329ac4bc9b5)))
	},
	"Sha1":   func(body []byte) []byte { sum := sha1.Sum(body); return sum[:] }, //nolint:gosec // One of S3's checksums.
	"Sha256": func(body []byte) []byte { sum := sha256.Sum256(body); return sum[:] },
}

// corrupted returns the refusal of a body that is not the one that the headers are about, or nil. DeleteObjects requires
// a checksum.
func (s s3Call) corrupted(body []byte) *apiError {
	if s.payload != unsignedPayload && s.payload != hash(body) {
		return &apiError{"XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", http.StatusBadRequest}
	}
	wrong := func(given string, sum []byte) bool {
		return base64.StdEncoding.EncodeToString(sum) != given
	}
	checked := false
	if given := s.r.Header.Get("Content-Md5"); given != "" {
		sum := md5.Sum(body) //nolint:gosec // S3's Content-MD5.
		if checked = true; wrong(given, sum[:]) {
			return &apiError{"BadDigest", "The Content-MD5 you specified did not match what we received.", http.StatusBadRequest}
		}
	}
	for name, values := range s.r.Header {
		algorithm, ok := strings.CutPrefix(name, checksumPrefix)
		if !ok {
			continue
		}
		checksum, known := checksums[algorithm]
		if !known {
			refusal := notImplemented("The double of S3 does not know the checksum %s", name)
			return &refusal
		}
		if checked = true; slices.ContainsFunc(values, func(given string) bool { return wrong(given, checksum(body)) }) {
			return &apiError{"BadDigest", "The " + strings.ToUpper(algorithm) + " you specified did not match the calculated checksum.", http.StatusBadRequest}
		}
	}
	if !checked {
		return &apiError{"InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*", http.StatusBadRequest}
	}
	return nil
}

package s3

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

// uploadsAtOnce is how many files are uploaded, and held in memory, at a time.
const uploadsAtOnce = 8

// Action is an S3 deploy action of a pipeline.
type Action struct {
	// Configuration is the action's, as in the template, with variables and intrinsics resolved:
	//
	//	BucketName           required
	//	Extract              required: "true" uploads the artifact's files, "false" the artifact itself
	//	ObjectKey            the key; with Extract "true" an optional prefix of all keys
	//	CacheControl         the Cache-Control header of every object
	//	CannedACL            the ACL of every object, such as "private"; checked, but see Result.Notes
	//	KMSEncryptionKeyARN  accepted, but see Result.Notes
	Configuration map[string]string
	// Authorize plays IAM for the action's role: it is asked before each upload, for example for
	// "s3:PutObject" on "arn:aws:s3:::blog/index.html", and an error is a denial. It is never called
	// twice at a time. Default: everything is allowed.
	Authorize func(action, resource string) error
	// Progress is told after each upload what has been uploaded so far. It is never called twice at a
	// time. Default: nobody is told.
	Progress func(Progress)
}

// Progress is how far a deployment has come.
type Progress struct {
	Key            string // of the object uploaded last
	Objects, Total int
	Bytes          int64
}

// Result is what a deployment did.
type Result struct {
	Objects int
	Bytes   int64
	// Notes say where the rehearsal knowingly does less than AWS.
	Notes []string
}

// Error is why a deployment failed, in S3's words where S3 refused.
type Error struct {
	// Code is S3's error code, such as "NoSuchBucket" or "AccessDenied", or CodePipeline's type of
	// failure: "ConfigurationError", "JobFailed".
	Code string
	// Message is for people.
	Message string

	cause error
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns what S3's client or Action.Authorize said.
func (e *Error) Unwrap() error { return e.cause }

// The types of failure that CodePipeline knows and this action can have by itself.
const (
	configurationError = "ConfigurationError"
	jobFailed          = "JobFailed"
)

// Deploy does what CodePipeline's S3 deploy action does with the artifact, a zip file: it uploads every
// file, also those that have not changed, and deletes nothing. Objects uploaded before a failure stay.
// A failure of the action is an [*Error].
//
// CodePipeline gives up after 90 minutes; here only ctx ends a deployment.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
func Deploy(ctx context.Context, client *awss3.Client, action Action, artifact string) (Result, error) {
	config, err := parseConfiguration(action.Configuration)
	if err != nil {
		return Result{}, err
	}
	d := &deployment{client: client, action: action, config: config}
	if config.kmsKey != "" {
		d.result.Notes = append(d.result.Notes, "KMSEncryptionKeyARN is not rehearsed: nothing is encrypted here, and that the role may use "+config.kmsKey+" (kms:GenerateDataKey) is not checked")
	}
	if config.acl != "" {
		d.result.Notes = append(d.result.Notes, "CannedACL is not rehearsed: objects have no ACLs here; a bucket whose ACLs are off, as they are in every bucket made since April 2023 unless somebody turned them on, refuses all but bucket-owner-full-control (AccessControlListNotSupported)")
	}
	if config.extract {
		err = d.uploadFiles(ctx, artifact)
	} else {
		err = d.uploadArtifact(ctx, artifact)
	}
	return d.result, err
}

// configuration is an action's configuration, checked.
type configuration struct {
	bucket, objectKey, cacheControl, acl, kmsKey string
	extract                                      bool
}

// cannedACLs are what CannedACL can be; a bucket's "log-delivery-write" is not for objects.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
var cannedACLs = types.ObjectCannedACL("").Values()

func parseConfiguration(values map[string]string) (configuration, error) {
	var c configuration
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		switch name {
		case "BucketName":
			c.bucket = value
		case "Extract":
			if value != "true" && value != "false" {
				problem("Extract is %q; it must be true or false", value)
			}
			c.extract = value == "true"
		case "ObjectKey":
			c.objectKey = value
		case "CacheControl":
			c.cacheControl = value
		case "CannedACL":
			if !slices.Contains(cannedACLs, types.ObjectCannedACL(value)) {
				problem("CannedACL is %q; it must be one of %v", value, cannedACLs)
			}
			c.acl = value
		case "KMSEncryptionKeyARN":
			c.kmsKey = value
		default:
			problem("%s is no parameter of the S3 deploy action", name)
		}
	}
	if c.bucket == "" {
		problem("BucketName is missing")
	}
	if _, ok := values["Extract"]; !ok {
		problem("Extract is missing")
	}
	if values["Extract"] == "false" && c.objectKey == "" {
		problem("ObjectKey is missing; it is required when Extract is false")
	}
	if len(problems) > 0 {
		return configuration{}, &Error{Code: configurationError, Message: strings.Join(problems, "; ")}
	}
	return c, nil
}

type deployment struct {
	client *awss3.Client
	action Action
	config configuration

	mu     sync.Mutex // guards result, and calls of the action's functions
	total  int
	result Result
}

// uploadArtifact uploads the zip file as it is.
func (d *deployment) uploadArtifact(ctx context.Context, artifact string) error {
	content, err := os.ReadFile(artifact)
	if err != nil {
		return fmt.Errorf("read artifact: %w", err)
	}
	d.total = 1
	return d.upload(ctx, d.config.objectKey, contentType(d.config.objectKey), content)
}

// uploadFiles uploads the files in the zip file, in its order.
func (d *deployment) uploadFiles(ctx context.Context, artifact string) error {
	archive, err := zip.OpenReader(artifact)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // Those are refused below, by name.
		return fmt.Errorf("read artifact: %w", err)
	}
	defer func() { _ = archive.Close() }() // It was only read.
	files, err := filesOf(&archive.Reader)
	if err != nil {
		return err
	}
	d.total = len(files)

	uploads, uploading := errgroup.WithContext(ctx)
	uploads.SetLimit(uploadsAtOnce)
	for _, file := range files {
		if uploading.Err() != nil {
			break // One has failed, or ctx is done: AWS would not go on either.
		}
		uploads.Go(func() error {
			content, err := contentOf(file)
			if err != nil {
				return &Error{Code: jobFailed, Message: fmt.Sprintf("unpack %s: %v", file.Name, err), cause: err}
			}
			key := file.Name
			if d.config.objectKey != "" {
				key = strings.TrimSuffix(d.config.objectKey, "/") + "/" + key
			}
			return d.upload(uploading, key, contentType(key), content)
		})
	}
	if err := uploads.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// filesOf lists an archive's files. What could not be a file of a build is refused before anything is
// uploaded: what AWS makes of it is not documented, and it is a mistake or an attack.
func filesOf(archive *zip.Reader) ([]*zip.File, error) {
	var files []*zip.File
	seen := make(map[string]bool)
	for _, file := range archive.File {
		var fault string
		name := strings.TrimSuffix(file.Name, "/")
		switch {
		case !isLocal(name):
			fault = "its path leads out of the artifact"
		case file.Mode().IsDir():
			continue // S3 has no folders.
		case !file.Mode().IsRegular():
			fault = "it is no regular file (" + file.Mode().Type().String() + ")"
		case seen[file.Name]:
			fault = "it is in there twice"
		}
		if fault != "" {
			return nil, &Error{Code: jobFailed, Message: fmt.Sprintf("the artifact's file %q is refused: %s", file.Name, fault)}
		}
		seen[file.Name] = true
		files = append(files, file)
	}
	return files, nil
}

// isLocal reports whether an archive's path stays below the folder it is unpacked in, on any system.
func isLocal(name string) bool {
	return name != "" && name == path.Clean(name) && !path.IsAbs(name) && name != ".." && !strings.HasPrefix(name, "../") && !strings.Contains(name, `\`)
}

func contentOf(file *zip.File) ([]byte, error) {
	reader, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

func (d *deployment) upload(ctx context.Context, key, contentType string, content []byte) error {
	if err := d.authorize(key); err != nil {
		return err
	}
	input := &awss3.PutObjectInput{
		Bucket:      aws.String(d.config.bucket),
		Key:         aws.String(key),
		Body:        bytes.NewReader(content),
		ContentType: aws.String(contentType),
		ACL:         types.ObjectCannedACL(d.config.acl),
	}
	if d.config.cacheControl != "" {
		input.CacheControl = aws.String(d.config.cacheControl)
	}
	if _, err := d.client.PutObject(ctx, input); err != nil {
		if refusal, ok := errors.AsType[smithy.APIError](err); ok {
			return &Error{Code: refusal.ErrorCode(), Message: fmt.Sprintf("%s (upload %s to %s)", refusal.ErrorMessage(), key, d.config.bucket), cause: err}
		}
		return fmt.Errorf("upload %s to %s: %w", key, d.config.bucket, err)
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	d.result.Objects++
	d.result.Bytes += int64(len(content))
	if d.action.Progress != nil {
		d.action.Progress(Progress{Key: key, Objects: d.result.Objects, Total: d.total, Bytes: d.result.Bytes})
	}
	return nil
}

// authorize asks for what S3 checks on an upload: an ACL in the request needs a permission of its own.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (d *deployment) authorize(key string) error {
	if d.action.Authorize == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	actions := []string{"s3:PutObject"}
	if d.config.acl != "" {
		actions = append(actions, "s3:PutObjectAcl")
	}
	for _, action := range actions {
		if err := d.action.Authorize(action, "arn:aws:s3:::"+d.config.bucket+"/"+key); err != nil {
			return &Error{Code: "AccessDenied", Message: err.Error(), cause: err}
		}
	}
	return nil
}

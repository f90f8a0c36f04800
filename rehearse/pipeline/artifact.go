package pipeline

import (
	"archive/zip"
	"fmt"
	"os"
)

// artifact is a set of files that one action passes to later ones.
type artifact struct {
	// bucket and key are those of its object in the bucket of the artifacts, and arn is the object's ARN.
	bucket, key, arn string
	// zip is the file, or the place for it.
	zip string
	// clone is the folder of a clone of the repository, in place of zip, and connection the ARN of what builds clone by.
	clone, connection string
	// commit is the id of the commit that a source artifact has.
	commit string
}

// measure counts the files of an archive and their bytes.
func measure(name string) (files int, size int64, err error) {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return 0, 0, fmt.Errorf("read the artifact: %w", err)
	}
	defer func() { _ = archive.Close() }() // It was only read.
	for _, file := range archive.File {
		if !file.Mode().IsDir() {
			files, size = files+1, size+int64(file.UncompressedSize64) //nolint:gosec // No artifact has 8 EiB.
		}
	}
	return files, size, nil
}

// sizeOf returns the present size of a file; 0 if it is not there.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

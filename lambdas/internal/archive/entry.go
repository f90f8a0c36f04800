package archive

import "encoding/binary"

// The records of a zip file: signatures and lengths.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
const (
	localSignature, localLength     = 0x04034b50, 30
	entrySignature, entryLength     = 0x02014b50, 46
	endSignature, endLength         = 0x06054b50, 22
	end64Signature, end64Length     = 0x06064b50, 56
	locatorSignature, locatorLength = 0x07064b50, 20

	// zip64 is the id of the extra field with the sizes that 32 bits cannot say.
	zip64 = 0x0001
	// in64, in a field of 32 or 16 bits, says that the value is in a field of 64 bits.
	in64, in64short = 1<<32 - 1, 1<<16 - 1
)

const (
	stored, deflated = 0, 8

	// hiddenBits say that an entry is encrypted, a patch, or has a masked header.
	hiddenBits = 1<<0 | 1<<5 | 1<<6 | 1<<13
	// descriptorBit says that the sizes come after the content.
	descriptorBit = 1 << 3
)

var le = binary.LittleEndian

// agrees reports whether a field says the same as its extension by zip64, or refers to it.
func agrees(field, extended, limit int64) bool { return field == limit || field == extended }

// File is a file of an archive.
type File struct {
	// Name is a relative path in UTF-8.
	Name string
	// Size is the length of the content, and Packed that in the archive, in bytes.
	Size, Packed int64
	// CRC32 is the checksum of the content.
	CRC32 uint32
}

// entry is an entry of the archive's directory.
type entry struct {
	File
	folder bool
	method uint16
	// offset is where the entry begins, and end is where the next one, or the directory,
	// does.
	offset, end int64
}

// last returns the offset behind the last byte that the entry may have. The length of the
// extra fields in its own header is not known before that header is read.
func (e *entry) last() int64 {
	return min(e.end, e.offset+localLength+int64(len(e.Name))+in64short+e.Packed)
}

// damaged is the error of a content that is not what the directory says.
func (e *entry) damaged(how string) error {
	return &Invalid{e.Name, how + ". The archive is damaged: build again"}
}

package archive

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// inflaters are used again, because each has a window of 32 KiB.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// readHeader reads the entry's own header, behind which the content is. It must agree with
// the directory: other programs than this one read the one or the other.
func (e *entry) readHeader(r io.Reader) error {
	var header [localLength]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return e.explain(err)
	}
	name, extra := int(le.Uint16(header[26:])), int(le.Uint16(header[28:]))
	if le.Uint32(header[:]) != localSignature || name != len(e.Name) {
		return e.damaged("which is not where the directory says")
	}
	text := make([]byte, name+extra)
	if _, err := io.ReadFull(r, text); err != nil {
		return e.explain(err)
	}
	flags, sum := le.Uint16(header[6:]), le.Uint32(header[14:])
	packed, size := int64(le.Uint32(header[18:])), int64(le.Uint32(header[22:]))
	switch {
	case string(text[:name]) != e.Name, le.Uint16(header[8:]) != e.method, flags&hiddenBits != 0,
		flags&descriptorBit == 0 && (sum != e.CRC32 || !agrees(packed, e.Packed, in64) || !agrees(size, e.Size, in64)):
		return e.damaged("whose own header says something else than the directory")
	case e.offset+localLength+int64(name+extra)+e.Packed > e.end:
		return e.damaged("which overlaps the next entry")
	}
	return nil
}

// unpack writes the content of an entry into content, which has its size. raw has the
// bytes of the entry.
func (e *entry) unpack(raw, content []byte) error {
	r := bytes.NewReader(raw)
	if err := e.readHeader(r); err != nil {
		return err
	}
	packed := raw[len(raw)-r.Len():]
	if int64(len(packed)) < e.Packed {
		return e.explain(io.ErrUnexpectedEOF)
	}
	packed = packed[:e.Packed]
	if e.method == stored {
		copy(content, packed)
	} else {
		inflater := inflaters.Get().(io.Reader)
		defer inflaters.Put(inflater)
		r.Reset(packed)
		if err := inflater.(flate.Resetter).Reset(r, nil); err != nil {
			return e.explain(err)
		}
		if _, err := io.ReadFull(inflater, content); err != nil {
			return e.explain(err)
		}
		if err := e.checkEnd(inflater); err != nil {
			return err
		}
	}
	return e.checkSum(crc32.ChecksumIEEE(content))
}

// checkEnd reads on behind the content, and refuses what comes.
func (e *entry) checkEnd(r io.Reader) error {
	var more [1]byte
	switch _, err := io.ReadFull(r, more[:]); {
	case err == nil:
		return e.damaged("whose content is longer than the directory says")
	case !errors.Is(err, io.EOF):
		return e.explain(err)
	}
	return nil
}

func (e *entry) checkSum(sum uint32) error {
	if sum != e.CRC32 {
		return e.damaged("whose content has another checksum than the directory says")
	}
	return nil
}

// explain returns the error of a content, or err itself if it is about the source.
func (e *entry) explain(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return e.damaged("whose content is shorter than the directory says")
	case errors.As(err, &corrupt):
		return e.damaged("whose content cannot be unpacked")
	}
	return err
}

package archive

import (
	"bytes"
	"compress/flate"
	"hash/crc32"
	"io"

	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
)

// forged is an entry of an archive that no writer of archives makes. forge writes what a
// good archive would have, unless a field says otherwise.
type forged struct {
	name, content string
	flags, method uint16
	system        byte
	mode          uint16
	extra         []byte
	// lie changes what the directory says, and lieLocally the entry's own header.
	lie, lieLocally func(header []byte)
	localName       string // "" for name
	localExtra      []byte
	at              int64 // the offset that the directory says, if it is not 0
}

// ofUnix makes a header one of Unix with a mode.
func (f forged) ofUnix(mode uint16) forged {
	f.system, f.mode = 3, mode
	return f
}

// forgedEnd is what comes behind the entries.
type forgedEnd struct {
	// before comes before the directory, and between behind it.
	before, between, comment []byte
	zip64                    bool
	// lie changes the last record, and lie64 that of zip64.
	lie, lie64 func(record []byte)
}

func deflate(content string) []byte {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return packed.Bytes()
}

// forge packs entries.
func forge(end forgedEnd, entries ...forged) *archivetest.Source {
	var data, directory []byte
	for _, f := range entries {
		offset := int64(len(data))
		if f.at != 0 {
			offset = f.at
		}
		packed := []byte(f.content)
		if f.method == deflated {
			packed = deflate(f.content)
		}
		header := func(signature uint32, made []byte, name string, extra []byte, lie func([]byte)) []byte {
			h := append(le.AppendUint32(nil, signature), made...)
			h = append(h, 20, 0) // the version that is needed
			h = le.AppendUint16(h, f.flags)
			h = le.AppendUint16(h, f.method)
			h = le.AppendUint32(h, 0) // the time
			h = le.AppendUint32(h, crc32.ChecksumIEEE([]byte(f.content)))
			h = le.AppendUint32(h, uint32(len(packed)))
			h = le.AppendUint32(h, uint32(len(f.content)))
			h = le.AppendUint16(h, uint16(len(name)))
			h = le.AppendUint16(h, uint16(len(extra)))
			if signature == entrySignature {
				h = append(h, 0, 0, 0, 0, 0, 0, 0, 0) // comment, disk, inner attributes
				h = le.AppendUint16(h, f.mode)
				h = le.AppendUint32(h, uint32(offset))
			}
			if lie != nil {
				lie(h)
			}
			return append(append(h, name...), extra...)
		}
		localName := f.localName
		if localName == "" {
			localName = f.name
		}
		directory = append(directory, header(entrySignature, []byte{20, f.system}, f.name, f.extra, f.lie)...)
		data = append(data, header(localSignature, nil, localName, f.localExtra, f.lieLocally)...)
		data = append(data, packed...)
	}
	data = append(data, end.before...)
	at, count := len(data), len(entries)
	data = append(data, directory...)
	data = append(data, end.between...)
	record := le.AppendUint32(nil, endSignature)
	if end.zip64 {
		begin := len(data)
		r := le.AppendUint32(nil, end64Signature)
		r = le.AppendUint64(r, end64Length-12)
		r = append(r, 45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		r = le.AppendUint64(r, uint64(count))
		r = le.AppendUint64(r, uint64(count))
		r = le.AppendUint64(r, uint64(len(directory)))
		r = le.AppendUint64(r, uint64(at))
		if end.lie64 != nil {
			end.lie64(r)
		}
		data = append(data, r...)
		l := le.AppendUint32(nil, locatorSignature)
		l = le.AppendUint32(l, 0)
		l = le.AppendUint64(l, uint64(begin))
		l = le.AppendUint32(l, 1)
		data = append(data, l...)
		record = append(record, bytes.Repeat([]byte{0xff}, 16)...)
	} else {
		record = append(record, 0, 0, 0, 0)
		record = le.AppendUint16(record, uint16(count))
		record = le.AppendUint16(record, uint16(count))
		record = le.AppendUint32(record, uint32(len(directory)))
		record = le.AppendUint32(record, uint32(at))
	}
	record = le.AppendUint16(record, uint16(len(end.comment)))
	if end.lie != nil {
		end.lie(record)
	}
	return &archivetest.Source{Data: append(append(data, record...), end.comment...)}
}

// put16, put32 and put64 write a number into a header.
func put16(at int, value uint16) func([]byte) { return func(h []byte) { le.PutUint16(h[at:], value) } }
func put32(at int, value uint32) func([]byte) { return func(h []byte) { le.PutUint32(h[at:], value) } }
func put64(at int, value uint64) func([]byte) { return func(h []byte) { le.PutUint64(h[at:], value) } }

// sizes64 is the extra field of zip64 with values.
func sizes64(values ...uint64) []byte {
	extra := le.AppendUint16(nil, zip64)
	extra = le.AppendUint16(extra, uint16(8*len(values)))
	for _, value := range values {
		extra = le.AppendUint64(extra, value)
	}
	return extra
}

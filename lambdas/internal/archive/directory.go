package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// tailLength is what the first request reads, in bytes. It holds the directory of
	// 3,000 files with paths of 100 bytes, and S3 sends it in less time than a second
	// request would need.
	tailLength = 512 << 10
	// maxFiles keeps the lists of files of a publication within the function's memory.
	maxFiles = 100_000
	// maxDirectory limits the directory, in bytes, for the same reason.
	maxDirectory = 64 << 20
	// maxSize is the largest object that S3 stores by one request, in bytes.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
	maxSize = 5 << 30
	// maxTotal is more than the function unpacks in its 15 minutes, in bytes.
	maxTotal = 50 << 30
	// maxRatio is the ratio that deflate reaches for a file of zeros.
	maxRatio = 1032
	// maxTotalRatio is far above that of any text. A small archive may have more.
	maxTotalRatio, smallTotal = 200, 256 << 20
)

// end is the record behind the directory.
type end struct {
	// offset, length and count are those of the directory. here counts the entries in
	// this file, if the archive is split.
	offset, length, count, here int64
	// disk and directoryDisk are the numbers of the files with the record and with the
	// directory, if the archive is split.
	disk, directoryDisk int64
	// at is where the record is, or that of zip64.
	at int64
}

// findEnd finds the directory by the records behind it, in the last bytes of an archive.
func findEnd(tail []byte, size int64) (end, error) {
	from := max(0, len(tail)-endLength-in64short)
	at := bytes.LastIndex(tail[from:], le.AppendUint32(nil, endSignature)) + from
	if at < from || len(tail)-at < endLength {
		return end{}, &Invalid{Reason: "is no zip file, or is cut off. Build again"}
	}
	base, record := size-int64(len(tail)), tail[at:]
	e := end{
		disk: int64(le.Uint16(record[4:])), directoryDisk: int64(le.Uint16(record[6:])),
		here: int64(le.Uint16(record[8:])), count: int64(le.Uint16(record[10:])),
		length: int64(le.Uint32(record[12:])), offset: int64(le.Uint32(record[16:])),
		at: base + int64(at),
	}
	if endLength+int(le.Uint16(record[20:])) != len(record) || !e.widen(tail[:at], base) {
		return end{}, &Invalid{Reason: "has an unclear end. Build again"}
	}
	switch {
	case e.disk != 0 || e.directoryDisk != 0 || e.here != e.count:
		return end{}, &Invalid{Reason: "is split. Pack one file"}
	case e.count < 0 || e.count > maxFiles || e.length > maxDirectory:
		return end{}, &Invalid{Reason: fmt.Sprintf("has more than %d entries, or a directory of more than %d MiB. Publish less from this pipeline", maxFiles, maxDirectory>>20)}
	case e.length < e.count*entryLength || e.offset < 0 || e.length != e.at-e.offset:
		return end{}, &Invalid{Reason: "has a directory at another place than it says. Build again"}
	}
	return e, nil
}

// widen replaces the numbers by those of zip64's record, if there is one in the bytes
// before the end. It returns false if the two records do not agree.
func (e *end) widen(before []byte, base int64) bool {
	if len(before) < locatorLength || le.Uint32(before[len(before)-locatorLength:]) != locatorSignature {
		return true
	}
	before, locator := before[:len(before)-locatorLength], before[len(before)-locatorLength:]
	begin := int64(le.Uint64(locator[8:])) - base //nolint:gosec // a negative number is refused
	if disk, disks := le.Uint32(locator[4:]), le.Uint32(locator[16:]); disk != 0 || disks != 1 || begin < 0 || begin > int64(len(before))-end64Length {
		return false
	}
	record := before[begin:]
	const head = 12 // the signature and the length, which the length does not count
	if le.Uint32(record) != end64Signature || le.Uint64(record[4:]) != uint64(len(record))-head {
		return false
	}
	widen := func(field *int64, limit, value int64) bool {
		agree := agrees(*field, value, limit)
		*field = value
		return agree
	}
	number := func(at int) int64 { return int64(le.Uint64(record[at:])) } //nolint:gosec // a negative number is refused
	e.at = base + begin
	return widen(&e.disk, in64short, int64(le.Uint32(record[16:]))) && widen(&e.directoryDisk, in64short, int64(le.Uint32(record[20:]))) &&
		widen(&e.here, in64short, number(24)) && widen(&e.count, in64short, number(32)) &&
		widen(&e.length, in64, number(40)) && widen(&e.offset, in64, number(48))
}

// readDirectory reads the directory. The part of it that is not in the tail is asked for.
func readDirectory(ctx context.Context, source Source, tail []byte, size int64) ([]entry, error) {
	where, err := findEnd(tail, size)
	if err != nil {
		return nil, err
	}
	base := size - int64(len(tail))
	rest := &stream{ctx: ctx, source: source, next: where.offset, end: max(where.offset, base)}
	defer rest.Close()
	known := tail[max(0, where.offset-base) : where.offset+where.length-base]
	directory := bufio.NewReaderSize(io.MultiReader(rest, bytes.NewReader(known)), 64<<10)

	entries, left := make([]entry, 0, where.count), where.length
	wrong := &Invalid{Reason: "has a wrong directory. Build again"}
	var header [entryLength]byte
	var text []byte // the name, the extra fields and the comment
	for range where.count {
		if _, err := io.ReadFull(directory, header[:]); err != nil {
			return nil, rest.cause(wrong)
		}
		name, extra, comment := int(le.Uint16(header[28:])), int(le.Uint16(header[30:])), int(le.Uint16(header[32:]))
		if left -= entryLength + int64(name+extra+comment); left < 0 || le.Uint32(header[:]) != entrySignature {
			return nil, wrong
		}
		text = slices.Grow(text[:0], name+extra+comment)[:name+extra+comment]
		if _, err := io.ReadFull(directory, text); err != nil {
			return nil, rest.cause(wrong)
		}
		e, err := parseEntry(header[:], string(text[:name]), text[name:name+extra])
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if left != 0 {
		return nil, wrong
	}
	return entries, checkEntries(entries, where.offset, size)
}

// parseEntry reads an entry of the directory, and refuses what can be refused by itself.
func parseEntry(header []byte, name string, extra []byte) (entry, error) {
	e := entry{
		File:   File{Name: name, CRC32: le.Uint32(header[16:]), Packed: int64(le.Uint32(header[20:])), Size: int64(le.Uint32(header[24:]))},
		folder: strings.HasSuffix(name, "/"),
		method: le.Uint16(header[10:]),
		offset: int64(le.Uint32(header[42:])),
	}
	refuse := func(reason string) (entry, error) { return e, &Invalid{name, reason} }
	if err := checkName(strings.TrimSuffix(name, "/")); err != nil {
		return e, err
	}
	if !e.widen(extra) {
		return refuse("whose extra fields are wrong. Build again")
	}
	const unix, macOS = 3, 19 // the systems whose modes are in the upper half of the attributes
	if system := header[5]; system == unix || system == macOS {
		const kind, regular, folder, link = 0xf000, 0x8000, 0x4000, 0xa000
		switch mode := le.Uint16(header[40:]) & kind; {
		case mode == 0, mode == regular && !e.folder, mode == folder && e.folder:
		case mode == link:
			return refuse("which is a symbolic link. Let the build copy what it links to")
		default:
			return refuse("which is no regular file. Let the build leave it out")
		}
	}
	switch {
	case le.Uint16(header[8:])&hiddenBits != 0:
		return refuse("which is encrypted. Pack without a password")
	case e.method != stored && e.method != deflated:
		return refuse(fmt.Sprintf("which is packed by the method %d. Pack by deflate", e.method))
	case e.folder && e.Size != 0:
		return refuse("which is a folder with a content. Build again")
	case e.Size < 0 || e.Packed < 0 || e.Size > maxSize:
		return refuse("which has more than 5 GiB, the most that S3 stores by one request. Leave it out, or publish it in another way")
	case e.method == stored && e.Size != e.Packed:
		return refuse("which is stored with another size than it has. Build again")
	case e.Packed > e.Size+e.Size/8+1024, e.Size > e.Packed*maxRatio:
		return refuse(fmt.Sprintf("whose %d bytes cannot be unpacked from %d. Build again", e.Size, e.Packed))
	}
	return e, nil
}

// widen replaces the sizes and the offset by those of the zip64 field, where they refer to
// it. It returns false if a field is missing or cut off.
func (e *entry) widen(extra []byte) bool {
	var values []*int64
	for _, value := range []*int64{&e.Size, &e.Packed, &e.offset} {
		if *value == in64 {
			values = append(values, value)
		}
	}
	for len(values) > 0 {
		if len(extra) < 4 {
			return false
		}
		id, length := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; length > len(extra) {
			return false
		}
		if id != zip64 {
			extra = extra[length:]
			continue
		}
		if length < 8*len(values) {
			return false
		}
		for i, value := range values {
			*value = int64(le.Uint64(extra[8*i:])) //nolint:gosec // a negative value is refused later
		}
		return true
	}
	return true
}

// checkEntries refuses what is wrong about the entries together, and sets the end of
// each. directory is where the directory begins.
func checkEntries(entries []entry, directory, size int64) error {
	if err := checkNames(entries); err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.offset, b.offset) })
	total := int64(0)
	for i := range entries {
		e := &entries[i]
		e.end = directory
		if i+1 < len(entries) {
			e.end = entries[i+1].offset
		}
		if e.offset < 0 || e.offset > e.end || e.end > directory || e.offset+localLength+int64(len(e.Name))+e.Packed > e.end {
			return &Invalid{e.Name, "which overlaps another entry or the archive's directory. Build again"}
		}
		if total += e.Size; total > maxTotal || total > smallTotal && total/maxTotalRatio > size {
			return &Invalid{Reason: fmt.Sprintf("unpacks to more than %d GiB, or to %d times its size. Publish less from this pipeline", maxTotal>>30, maxTotalRatio)}
		}
	}
	return nil
}

package spool

// SegmentFile is what the journal writes to.
type SegmentFile = segmentFile

// BeginSegment makes an empty file, as the journal does.
var BeginSegment = beginSegment

// WithFiles has the journal write to other files than the disk's own.
func (o Options) WithFiles(begin func(path string) (SegmentFile, error)) Options {
	o.begin = begin
	return o
}

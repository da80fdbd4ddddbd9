package assay

import "sync"

// Step is what is being done to files.
type Step string

const (
	// StepHashing means that files are read for their digests.
	StepHashing Step = "hashing"
	// StepSending means that files go to the server.
	StepSending Step = "sending"
	// StepReceiving means that files come from the server.
	StepReceiving Step = "receiving"
)

// Progress tells how far a transfer is. Each step counts its bytes anew.
type Progress struct {
	// Step is what is being done.
	Step Step
	// Path is the file that moved, relative to the version.
	Path string
	// FileBytes is how much of that file is there, including what was there before.
	FileBytes int64
	// FileSize is the size of that file.
	FileSize int64
	// TotalBytes is how much of all files is there.
	TotalBytes int64
	// TotalSize is the size of all files.
	TotalSize int64
}

// meter adds up progress and tells the caller, one call at a time.
type meter struct {
	mutex sync.Mutex
	step  Step
	tell  func(Progress)
	total int64
	size  int64
	files map[string]int64
}

func newMeter(step Step, tell func(Progress), size int64) *meter {
	return &meter{step: step, tell: tell, size: size, files: map[string]int64{}}
}

// set says how many bytes of a file are there.
func (m *meter) set(path string, bytes, size int64) {
	m.change(path, size, func(int64) int64 { return bytes })
}

// add says how many more bytes of a file are there.
func (m *meter) add(path string, bytes, size int64) {
	m.change(path, size, func(before int64) int64 { return before + bytes })
}

func (m *meter) change(path string, size int64, next func(int64) int64) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	before := m.files[path]
	after := next(before)
	if after == before && after != size {
		return
	}
	m.files[path] = after
	m.total += after - before
	if m.tell != nil {
		m.tell(Progress{m.step, path, after, size, m.total, m.size})
	}
}

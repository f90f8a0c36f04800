package stacks

// BucketRemoval is what becomes of a Site's bucket when its stack goes.
type BucketRemoval string

const (
	// KeepBucket leaves it, and all that is in it, in the account.
	KeepBucket BucketRemoval = "keep"
	// DeleteBucket empties it, every version of every file, and removes it.
	DeleteBucket BucketRemoval = "delete"
)

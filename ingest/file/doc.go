// Package file reads log files: a [Source] as they are written and rotated, an [Import] once. Every line goes into the
// pipeline exactly once, whatever is done to the files and whenever the process is killed.
//
// One row of log_positions stands for one stream of bytes, not for a path and not for an inode. Its key names where the
// stream began, file:<host>/<device>:<inode>#<generation>, and never changes; its meta says where the bytes lie now and
// how to know them again: the path, device and inode, the hash of the first up to 1 KiB (the head, which grows while
// the file is short), and the hash of the up to 128 bytes before the position (the anchor).
//
// Units: positions and sizes are bytes, in a compressed file those of the unpacked content. Waiting times are the
// [Clock]'s.
//
// Ownership: a batch is the reader's until it is sent. An openFile, its row, and every decision belong to the keeper's
// goroutine; while a file is active its reading belongs to the goroutine that reads it.
//
// Concurrency: [Source.Run] is the keeper. It starts a goroutine that gathers kernel events, one for each file that is
// being read or followed, and short ones that ask the database. They end with Run. An idle file costs a descriptor and
// an entry in a map. Of thousands of files that change at once 64 are read at a time, not counting those that are
// followed, wait for the end of a join, or whose row is locked. A source unpacks two compressed files at a time, because
// their decoders' memory is in no budget.
//
// # What a source does
//
//  1. It lists the rows of its host and meanwhile finds the files of its inputs and opens them. A descriptor is kept
//     from then on, whether or not the database answers, so a file that is renamed or removed can still be read.
//  2. Each file is given its row: the one whose inode, head and anchor fit; else one whose bytes lie nowhere any more
//     and whose head and anchor fit (the file was moved, restored, copied, compressed, or its device renumbered); else
//     a new one at position 0, inserted before the first byte is read. A file with nothing in it waits for content.
//     Unfinished rows of files that an input once found are opened by their stored path too, even if no input matches
//     that any more, or by the name in the same directory that a rotation has given them. Rows of other files belong
//     to another instance, an import, or a configuration that may come back: they are neither read nor closed.
//  3. The block reader takes what is there, whole lines in blocks read straight into the batch's memory. At the end of
//     the file the poller of nxadm/tail looks every 50 ms, at /proc/self/fd/N, which stays the same inode whatever becomes
//     of the name, and the block reader reads what was added. (The reader of the library would keep a line until its newline
//     comes, in no budget, and cannot be ended before the end of the file.) A file that was quiet for 2 s, or that left its
//     inputs, is idle: an event or the next look wakes the block reader.
//  4. A batch is sent only if the file still reaches its end, begins with the known head, and has before the batch and
//     before its end the bytes that were read. With the batch goes the new meta, and both are committed together.
//  5. Directories are watched, not files. A change in one has all inputs listed again; every 15 s everything is listed
//     and looked at; where the kernel cannot watch (network file systems, limits), every second.
//
// # Joined lines
//
// Lines are joined into one event while they are framed, in the order of the file; see [Joins]. A batch ends before the
// first line of a join that may still go on, so no position lies within one, and a process that dies there begins the
// join again. Of container runtimes the two streams of a program are joined each by itself, and what one says between the
// lines of the other belongs to no join. A join is closed by a line that does not continue it, by its limits, by a second
// of quiet (ten when the runtime cut a line), or by the file's end. Nothing but bytes decide about it, apart
// from the quiet at a file's end: a trace that is written with a pause of more than a second there is two events.
//
// # Rotation
//
//   - Rename and create, a cascade (.1 becomes .2), a removed file, a link that leads elsewhere: the inode is read on
//     through its descriptor. When it is no longer found by an input and nothing has been added for the grace time, its
//     last line is taken even without a newline, its row is closed, and the descriptor with it.
//   - Truncation (shorter than the position, or head or anchor differ, so also one that was filled again at once): the
//     inode gets a new row. The old one is left as it is and waits, once the batches sent for it are committed or
//     dropped. A file with its head and its anchor continues it at its position: one compare-and-set moves the row and
//     raises its epoch, which fences a reader of the former place. So copytruncate loses nothing that is in the copy, a
//     kill between any two steps changes nothing, and a row that nobody continues within the copy wait is closed with
//     the rest of its last known size in lost_bytes, and a warning.
//   - A copy that ends before what was read of a stream that was cut (lines were added, and read, between the copy and the
//     truncation) is known by the row's trail: hashes of the bytes before positions 64, 128, 192 ... 1,024, 1,280 ...
//     2,048, 2,560 and so on, four until it is twice as far. It is held, and passed over after the copy wait; at once, if
//     it was seen before the truncation to be the same.
//   - A new file that has the same bytes as far as it goes as one that is being read is held: it may be the copy of a
//     copytruncate. It is decided upon when the original is cut or the two differ. After the copy wait it is a plain
//     copy: counted, logged, and given a row that begins at its end; but not before what was read of the original is
//     stored, because a process that is killed may leave the copy alone to have it. It may have more than an original of
//     1 KiB and more that is gone from the inputs (a log that was moved to another file system and back, or restored): it is
//     held until the original was quiet for the grace time, and then continues its row.
//     Copies are given their rows after that and before an original that is gone is finished: later nothing would tell
//     what they are.
//   - Compressed files are known by their first bytes and compared by what they unpack to. A complete one is read once.
//   - Of several copies the one that has most continues the row, the others are passed over. If it is found when another
//     has continued it already (a compressed one takes its time), that one is passed over as soon as it was read and no
//     other instance was noticed for a minute, and leaves the row to it. A copy of less than 1 KiB does so only if the
//     original is known to have had more.
//   - A file that was cut and has the row's bytes again may be read as the same stream by another instance that has not
//     seen the cut. Its new stream begins when the old row is as the database has it, and after its epoch was raised, so
//     that the other looks at the rows again; or not at all, if the other has gone on with the old row.
//
// # Other instances
//
// A stream that was fenced is abandoned. Its row is read again after 1 to 5 s and reading goes on at the stored
// position, so of two instances with the same files one is the standby of the other. For a minute after that, and after the
// start, all rows are read again before a stream begins: a file may be the copy of what only the other one has read. A row
// that is gone is never replaced by one at 0: the file is not read any more. What has left the inputs and only an instance
// that was killed had found is read by the next one that starts.
//
// # What can be doubled
//
// A copy is known by bytes. Lines come twice where these say nothing:
//   - A copy that was made a little before its original was cut, so that it lacks lines that were read of it, and that has
//     less than 64 bytes, is known only by a process that has seen both whole. A longer one is known as long as the row
//     of the original is open, which is the copy wait.
//   - Of two files that are equal when they are first seen either can be the copy. One that grows then is another file.
//   - Two instances may each find another copy of a content that no row tells of yet; or one finds a copy late, which the
//     other has by then made the place of a stream; or one finds a copy of what only the other has looked at in time.
//   - A file that is cut and begins again with the same KiB as before, and is copied: the copy may be of either. If it
//     begins with all that was read of it, one of two instances may see the cut and the other not. They then read it as
//     two streams until one of them ends.
//   - Of two copies the longer one is found when the other, of less than 1 KiB, has the stream, and nothing told that the
//     original had more.
//
// # What can be lost
//
//   - What is written between a copytruncate's last read and its truncate is in no file.
//   - A truncation without a copy (: > file) loses what was not read yet, usually some milliseconds of it. lost_bytes
//     has the difference to the last known size. It has too much if the file was filled and cut again before the first cut
//     was noticed, or began with the same KiB: then that is taken for the size; or if the rest of a removed file is read by
//     another instance that has it open, after this one has started and not found it.
//   - A file that appears and vanishes between two looks, or while nothing runs. Nobody knows of it. So does vanish what
//     is created and then rotated to a name that no input matches, while nothing runs: inputs should match rotated names
//     too (app.log*), which costs nothing, as a rotated file is known again.
//   - The unread end of a file that is removed, or moved to another directory outside the inputs, while nothing runs. It
//     is counted when its row is closed.
//   - A file that consists of nothing but a text that other files begin with as well (a banner) cannot be told from a
//     copy of that beginning. It is held, and passed over after the copy wait if nothing was added. So is a file
//     that begins as a stream did which was cut, and ends before both differ by the trail.
//   - What is left of a deleted file a day (Options.Deleted) after its deletion: it is given up, lest the disk fill with
//     files that nobody sees while the database is away. It is counted, as after a truncation. A file whose row the
//     database has not given yet is kept all the same.
//   - What is added after the grace time to a file that was removed or moved out of the inputs.
//   - Files beyond the limit on open descriptors, a quarter of which (at most 1,024) is left for other uses, wait until
//     others are finished. An error is logged, and Stats.FilesUnopened has their number; a file that is removed while it
//     waits is not read.
//   - Off Linux the library looks at the path. What it says of another file costs time, not lines; a file that leaves its
//     inputs cannot be found by its new name after a restart.
package file

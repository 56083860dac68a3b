@testable import CheckEngine
import Testing

/// File systems in which links may be followed.
@Suite struct MountTableTests {
    private static let table = Array(
        #"""
        21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
        22 21 0:20 / /run rw,nosuid shared:2 - tmpfs tmpfs rw
        30 21 0:40 / /mnt/hang rw - fuse.sshfs host:/ rw
        31 21 0:41 / /mnt/with\040blank\134 rw - tmpfs none rw
        32 21 0:42 / /srv rw master:3 propagate_from:2 - nfs4 server:/srv rw
        33 21 0:43 / /over rw - nfs server:/over rw
        34 21 0:44 / /over rw - xfs /dev/vdb rw
        35 21 0:45 / /covered rw - xfs /dev/vdb rw
        36 21 0:46 / /covered rw - autofs systemd-1 rw
        """#.utf8)

    @Test(arguments: [
        ("/", true), ("/run", true), ("/mnt/hang", false), ("/mnt/with blank\\", true), ("/srv", false),
        ("/over", true), ("/covered", false), ("/nothing", false), ("/ru", false), ("/run/x", false),
    ])
    func `the type of the last mount at a path decides whether it is local`(path: String, isLocal: Bool) {
        #expect(MountTable.isLocal(at: Array(path.utf8), in: Self.table) == isLocal)
    }

    @Test(arguments: [
        ("/mnt/hang", "/mnt/hang"), ("/mnt/hang/a/s.sock", "/mnt/hang"), ("/mnt/hanging/s.sock", nil),
        ("/srv/x", "/srv"), ("/run/x.sock", nil), ("/", nil), ("/covered/x", "/covered"),
    ])
    func `a path belongs to the innermost remote mount`(path: String, place: String?) {
        let mountPoints = MountTable.remoteMountPoints(in: Self.table)
        #expect(RemoteMounts.innermost(of: mountPoints, above: Array(path.utf8)) == place.map { Array($0.utf8) })
    }

    @Test func `other file contents have no local mount`() {
        for text in ["", "x", "1 2 3 4 / -", "1 2 3 4 / rw", " - - - - - - "] {
            #expect(!MountTable.isLocal(at: [UInt8(ascii: "/")], in: Array(text.utf8)))
        }
    }
}

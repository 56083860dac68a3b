/// Which file a name leads to, whatever it is called: a hard link has the identity of its original.
public struct FileIdentity: Hashable, Sendable {
    /// `st_dev` of stat(2).
    public let device: UInt64
    /// `st_ino` of stat(2).
    public let inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

import CheckEngine
import HTTPServer

/// The shares of the memory that this process may use, in bytes and in numbers.
///
/// Together they are less than all of it, so that no flood of clients ends the process for lack of memory.
struct MemoryShares {
    let available: AvailableMemory
    /// What clients hold: see `MemoryBudget`.
    let clients: Int
    /// What checks hold beyond a plain check: see `CheckMemory`.
    let checks: Int
    /// How many checks may be in flight, each with its connection.
    let checkCount: Int
    /// How many client connections may be open.
    let connections: Int
    /// The kernel's buffers of one connection, in each direction; nil for the kernel's own choice.
    let socketBuffer: Int?

    /// The program itself, and the pages of its file that it uses.
    private static let program = 16 << 20
    /// A plain check with its connection, as measured with thousands of them.
    private static let plainCheck = 12 << 10
    private static let connection = 16 << 10
    private static let fewestChecks = 64

    init(_ available: AvailableMemory) {
        let bytes = available.bytes
        self.available = available
        clients = MemoryBudget.share(ofAvailable: bytes)
        checks = min(max(bytes / 8, 4 << 20), 256 << 20)
        checkCount = max((bytes - Self.program - clients - checks) / Self.plainCheck, Self.fewestChecks)
        connections = max(bytes / Self.connection, 2 * Self.fewestChecks)
        // With 2 GiB, a thousand connections may have full buffers.
        socketBuffer = bytes < Self.amplyAvailable ? Self.smallBuffer : nil
    }

    private static let amplyAvailable = 2 << 30
    /// Holds the longest request head and the longest TLS record. The kernel doubles it for its own data.
    private static let smallBuffer = 32 << 10
}

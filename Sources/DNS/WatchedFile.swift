internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// A system configuration file, parsed again after a change. It is checked at most once a second.
///
/// Checking, reading and parsing run on another thread: the file may be large, or on a file system that hangs. The old
/// content is used until the new one is ready.
struct WatchedFile<Content: Sendable> {
    private static var checkInterval: Int64 { 1_000_000_000 }
    /// How long a lookup waits for a change that is being read.
    private static var patience: Int64 { 100_000_000 }

    private let path: String
    private let parse: @Sendable ([UInt8]) -> Content
    private(set) var content: Content?
    private var signature: FileSignature?
    private var nextLook: MonotonicTime?
    private var readSince: MonotonicTime?

    init(path: String, parse: @escaping @Sendable ([UInt8]) -> Content) {
        self.path = path
        self.parse = parse
    }

    /// Returns the work for another thread; nil if it is in progress, or it is too early.
    mutating func beginLook(at now: MonotonicTime) -> FileLook<Content>? {
        if readSince != nil { return nil }
        if let nextLook, now < nextLook { return nil }
        readSince = now
        return FileLook(path: path, known: content == nil ? .unread : .read(signature), parse: parse)
    }

    /// Applies the result of a check of the file.
    /// - Returns: The replaced content, if any.
    mutating func endLook(_ finding: FileLook<Content>.Finding, at now: MonotonicTime) -> Content? {
        readSince = nil
        nextLook = now.advanced(byNanoseconds: Self.checkInterval)
        guard case .changed(let content, let signature) = finding else { return nil }
        defer { self.content = content }
        self.signature = signature
        return self.content
    }

    /// Until when to wait for a check of the file; until the deadline of the caller if the file was not read before.
    /// nil means not to wait.
    func waitLimit(within deadline: MonotonicTime) -> MonotonicTime? {
        guard let readSince else { return nil }
        return content == nil ? deadline : min(deadline, readSince.advanced(byNanoseconds: Self.patience))
    }
}

/// One check of a file; its calls may block.
struct FileLook<Content: Sendable>: Sendable {
    /// The state before the check.
    enum Known: Sendable {
        case unread
        /// The state that was read; nil if there was no file.
        case read(FileSignature?)
    }

    enum Finding: Sendable {
        case unchanged
        case changed(Content, FileSignature?)
    }

    /// The read limit: a hosts file of this size has a million names.
    private static var largestSize: Int { 32 << 20 }

    let path: String
    let known: Known
    let parse: @Sendable ([UInt8]) -> Content

    func run() -> Finding {
        let signature = FileSignature(of: path)
        if case .read(let earlier) = known, earlier == signature { return .unchanged }
        return .changed(parse(signature == nil ? [] : Self.read(path)), signature)
    }

    private static func read(_ path: String) -> [UInt8] {
        guard let file = try? Descriptor.openForReading(Array(path.utf8)) else { return [] }
        var contents: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while contents.count < largestSize {
            let count = CLinux.read(file.rawValue, &block, block.count)
            guard count > 0 else { return contents }
            contents += block[0..<count]
        }
        // A truncated line could have another meaning.
        return Array(contents[...(contents.lastIndex(of: UInt8(ascii: "\n")) ?? contents.startIndex)])
    }
}

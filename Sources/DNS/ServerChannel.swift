internal import CAres
internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// A c-ares channel for one name server. `TrySchedule` decides which server to ask and when, because c-ares 1.18 has
/// one timeout for all tries of a channel and does not tell which server answered.
///
/// It uses UDP only: in c-ares 1.18 the end of a TCP connection ends all queries to the server, also over UDP. Queries
/// over TCP are in `streams`, outside c-ares.
///
/// It belongs to its resolver and runs, including callbacks, on the reactor's thread.
final class ServerChannel {
    /// The limit of queries in flight to one server: c-ares finds a free 16-bit ID by trying.
    static let largestInFlight = 32_768
    private static let largestUnread = 64

    let identifier: Int
    let server: IPEndpoint
    /// The timeout for an answer.
    let answerSeconds: Int
    private let channel: ares_channel
    /// The context that c-ares points to; it lives as long as the channel.
    private let context: ChannelContext
    var watches: [Int32: SlotToken] = [:]
    /// Sockets that could not be watched because the kernel had no room, with the events for c-ares.
    var unwatched: [Int32: Readiness] = [:]
    let timer: SlotToken
    var timerIsArmed = false
    /// Tries whose callback has not been called yet.
    var inFlight = 0
    /// The number of queries sent since answers were last read.
    private var unread = 0
    /// A query that waits for a datagram.
    struct WaitingTry {
        let question: Int
        /// The ID in the query's header.
        var identifier: UInt16 = 0
    }

    /// By try number.
    var waiting: [Int: WaitingTry] = [:]
    /// Whether the server has sent any message.
    var hasAnswered = false
    /// The queries over TCP.
    var streams = StreamQueue()
    /// Whether a callback now means that a message could not be sent.
    private(set) var isSending = false

    /// - Returns: nil if c-ares is out of memory.
    init?(identifier: Int, server: IPEndpoint, settings: ResolverSettings, resolver: Resolver, timer: SlotToken) {
        self.identifier = identifier
        self.server = server
        answerSeconds = settings.answerSeconds
        self.timer = timer
        context = ChannelContext(resolver: resolver, identifier: identifier, interface: Self.interface(of: server))
        guard let channel = Self.open(settings: settings, context: context) else { return nil }
        guard Self.set(server, in: channel) else {
            ares_destroy(channel)
            return nil
        }
        self.channel = channel
    }

    deinit {
        // This calls no callback: a channel is destroyed when it has no tries left, and has closed its sockets.
        ares_destroy(channel)
    }

    private static func open(settings: ResolverSettings, context: ChannelContext) -> ares_channel? {
        var options = ares_options()
        // NOCHECKRESP: reports SERVFAIL, NOTIMP and REFUSED as answers. IGNTC: keeps c-ares from repeating a query
        // after a truncated answer.
        options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_IGNTC
        options.timeout = Int32(settings.answerSeconds) * 1000
        options.tries = 1
        options.ndots = 1
        options.sock_state_cb = socketStateChanged
        options.sock_state_cb_data = Unmanaged.passUnretained(context).toOpaque()
        let mask =
            ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_SOCK_STATE_CB
            | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | connectd_ares_without_cache(&options)
        var channel: ares_channel?
        let status = "b".withCString { lookups in
            // c-ares must not read the system's files: the resolver reads and watches them.
            "/dev/null".withCString { path in
                options.lookups = UnsafeMutablePointer(mutating: lookups)
                options.resolvconf_path = UnsafeMutablePointer(mutating: path)
                return ares_init_options(&channel, &options, mask)
            }
        }
        guard status == connectd_ares_success else { return nil }
        ares_set_socket_functions(
            channel, ChannelSockets.functions, Unmanaged.passUnretained(context).toOpaque())
        return channel
    }

    /// The interface of the server's zone. c-ares 1.18 has no zones: a socket that is bound to the interface needs none.
    private static func interface(of server: IPEndpoint) -> String? {
        switch server.address {
        case .v4: nil
        case .v6(let address): address.zone.flatMap(Zone.interfaceName)
        }
    }

    private static func set(_ server: IPEndpoint, in channel: ares_channel) -> Bool {
        let bytes: [UInt8]
        switch server.address {
        case .v4(let address):
            bytes = withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        case .v6(let address):
            bytes = withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        }
        return connectd_ares_set_server(channel, bytes, bytes.count, server.port) == connectd_ares_success
    }

    /// Sends one query; its callback is called exactly once, perhaps before this returns.
    func send(_ context: TryContext) {
        unread += 1
        waiting[context.number] = WaitingTry(question: context.question)
        isSending = true
        defer { isSending = false }
        let argument = Unmanaged.passRetained(context).toOpaque()
        ares_query(channel, context.name, internetClass, context.type.rawValue, tryEnded, argument)
        // Unless the try has already ended.
        waiting[context.number]?.identifier = self.context.lastIdentifier.load(ordering: .relaxed)
    }

    /// Lets c-ares process a ready descriptor and its timeouts.
    func process(readable: Int32, writable: Int32) {
        unread = 0
        ares_process_fd(channel, readable, writable)
    }

    /// Reads the answers that arrived while many queries were sent in one turn, before they overflow the socket's
    /// buffer. Do not call it within a callback of c-ares.
    func readIfCrowded() {
        guard unread >= Self.largestUnread else { return }
        for socket in Array(watches.keys) { process(readable: socket, writable: -1) }
    }

    /// When c-ares must process its timeouts; nil if it waits for nothing.
    func nextTimeout(from now: MonotonicTime) -> MonotonicTime? {
        let microseconds = connectd_ares_timeout_microseconds(channel)
        return microseconds < 0 ? nil : now.advanced(byNanoseconds: microseconds * 1000)
    }
}

/// RFC 1035 section 3.2.4: IN.
private let internetClass: Int32 = 1

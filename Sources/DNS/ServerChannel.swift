internal import CAres
internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// A c-ares channel with one name server in it: which server is asked when is decided in `TrySchedule`, because c-ares
/// 1.18 knows one timeout for all tries of a channel and hides which server said what.
///
/// It asks over UDP only. To c-ares 1.18 the end of a TCP connection is the end of everything that the server was asked,
/// also over UDP; so `streams` has what is asked over TCP, and c-ares knows nothing of it.
///
/// It belongs to its resolver: all of it, call-backs included, runs on the reactor's thread.
final class ServerChannel {
    /// More questions than that are not sent to one server at once: c-ares looks for a free number of 16 bits by trying.
    static let largestInFlight = 32_768
    /// A burst of answers waits here until the thread comes round. The kernel may grant less.
    private static let receiveBuffer: Int32 = 1 << 20
    private static let largestUnread = 64
    private static let sendBuffer: Int32 = 1 << 20

    let identifier: Int
    let server: IPEndpoint
    /// How long an answer is waited for.
    let answerSeconds: Int
    private let channel: ares_channel
    /// What c-ares holds a pointer to; it lives as long as the channel.
    private let context: ChannelContext
    var watches: [Int32: SlotToken] = [:]
    /// Sockets that the kernel had no room to watch, with what c-ares waits for.
    var unwatched: [Int32: Readiness] = [:]
    let timer: SlotToken
    var timerIsArmed = false
    /// Tries whose call-back has not come yet.
    var inFlight = 0
    /// How many questions were sent since answers were read last.
    private var unread = 0
    /// The questions of the tries that wait for a datagram, by the numbers of the tries.
    var waiting: [Int: Int] = [:]
    /// Whether any message has come from the server.
    var hasAnswered = false
    /// What is asked over TCP.
    var streams = StreamQueue()
    /// A call-back that comes now is that of a message that could not be sent.
    private(set) var isSending = false

    /// - Returns: nil where c-ares has no memory left.
    init?(identifier: Int, server: IPEndpoint, settings: ResolverSettings, resolver: Resolver, timer: SlotToken) {
        self.identifier = identifier
        self.server = server
        answerSeconds = settings.answerSeconds
        self.timer = timer
        context = ChannelContext(resolver: resolver, identifier: identifier)
        guard let channel = Self.open(settings: settings, context: context) else { return nil }
        guard Self.set(server, in: channel) else {
            ares_destroy(channel)
            return nil
        }
        self.channel = channel
    }

    deinit {
        // No call-back comes from here: a channel is let go when none of its tries is left, and has closed its sockets.
        ares_destroy(channel)
    }

    private static func open(settings: ResolverSettings, context: ChannelContext) -> ares_channel? {
        var options = ares_options()
        // NOCHECKRESP: SERVFAIL, NOTIMP and REFUSED are answers, to be named as they are.
        // IGNTC: a truncated answer is not asked for again by c-ares.
        options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_IGNTC
        options.timeout = Int32(settings.answerSeconds) * 1000
        options.tries = 1
        options.ndots = 1
        options.socket_receive_buffer_size = receiveBuffer
        options.socket_send_buffer_size = sendBuffer
        options.sock_state_cb = socketStateChanged
        options.sock_state_cb_data = Unmanaged.passUnretained(context).toOpaque()
        let mask =
            ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_SOCK_RCVBUF
            | ARES_OPT_SOCK_SNDBUF | ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF
            | connectd_ares_without_cache(&options)
        var channel: ares_channel?
        let status = "b".withCString { lookups in
            // Nothing of the system's files is for c-ares to read: they are read, and watched, by the resolver.
            "/dev/null".withCString { path in
                options.lookups = UnsafeMutablePointer(mutating: lookups)
                options.resolvconf_path = UnsafeMutablePointer(mutating: path)
                return ares_init_options(&channel, &options, mask)
            }
        }
        return status == connectd_ares_success ? channel : nil
    }

    private static func set(_ server: IPEndpoint, in channel: ares_channel) -> Bool {
        let bytes: [UInt8]
        switch server.address {
        case .v4(let address):
            bytes = withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        case .v6(let address):
            bytes = withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
            // c-ares 1.18 has no zones: a socket that is bound to the interface needs none.
            if let interface = address.zone.flatMap(Zone.interfaceName) { ares_set_local_dev(channel, interface) }
        }
        return connectd_ares_set_server(channel, bytes, bytes.count, server.port) == connectd_ares_success
    }

    /// Sends one question; its call-back comes exactly once, perhaps before this returns.
    func send(_ context: TryContext) {
        unread += 1
        waiting[context.number] = context.question
        isSending = true
        defer { isSending = false }
        let argument = Unmanaged.passRetained(context).toOpaque()
        ares_query(channel, context.name, internetClass, context.type.rawValue, tryEnded, argument)
    }

    /// Lets c-ares use a descriptor that is ready, and look after its own timeouts.
    func process(readable: Int32, writable: Int32) {
        unread = 0
        ares_process_fd(channel, readable, writable)
    }

    /// Reads the answers that came while many questions were sent in one turn, before they outgrow the socket's buffer.
    /// Not to be called within a call-back of c-ares.
    func readIfCrowded() {
        guard unread >= Self.largestUnread else { return }
        for socket in Array(watches.keys) { process(readable: socket, writable: -1) }
    }

    /// When c-ares wants to look after its timeouts; nil if it waits for nothing.
    func nextTimeout(from now: MonotonicTime) -> MonotonicTime? {
        let microseconds = connectd_ares_timeout_microseconds(channel)
        return microseconds < 0 ? nil : now.advanced(byNanoseconds: microseconds * 1000)
    }
}

/// RFC 1035 section 3.2.4: IN.
private let internetClass: Int32 = 1

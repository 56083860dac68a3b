@testable import ErrorCatalogue
import Glibc
@testable import NetworkTypes
import Testing

/// The rows of the table of classes, one test each. ICMP evidence has its own suite.
@Suite struct ClassifierTests {
    static let loopback = IPAddress.v4(IPv4Address(bits: 0x7F00_0001))
    static let host = IPAddress.v4(IPv4Address(bits: 0x0A00_0007))

    static func at(
        _ phase: Phase = .connect, _ transport: Circumstances.Transport = .tcp,
        _ change: (inout Circumstances) -> Void = { _ in }
    ) -> Circumstances {
        var circumstances = Circumstances(phase: phase, transport: transport)
        circumstances.destination = transport.isUnix ? nil : host
        change(&circumstances)
        return circumstances
    }

    static func judge(_ number: Int32, _ circumstances: Circumstances = at()) -> ErrorReport {
        Classifier.report(for: Errno(number), in: circumstances)
    }

    static let classesOfAConnect: [(ErrorClass, Fault, [Int32])] = [
        (.refused, .target, [ECONNREFUSED]),
        (.reset, .target, [ECONNRESET, ECONNABORTED, EPIPE]),
        (.timeout, .network, [ETIMEDOUT]),
        (
            .unreachable, .network,
            [EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENONET, ENOPROTOOPT, EPROTO, EOPNOTSUPP, EINVAL]
        ),
        (.notPermitted, .prober, [EACCES, EPERM]),
        (.noSuchSocket, .target, [ENOENT, ENOTDIR]),
        (.badPath, .request, [ENAMETOOLONG, ELOOP]),
        (.wrongType, .request, [EPROTOTYPE]),
        (
            .proberMisconfigured, .prober,
            [EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, ENODEV, ENETDOWN]
        ),
        (.proberExhausted, .prober, [EADDRNOTAVAIL, EADDRINUSE, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC]),
        (.internal, .prober, [EBADF, EFAULT, EISCONN, ENOTSOCK, EALREADY, EINPROGRESS, EINTR]),
    ]

    @Test(arguments: 1...Int32(133))
    func eachNumberHasExactlyOneClass(number: Int32) {
        let rows = Self.classesOfAConnect.filter { $0.2.contains(number) }
        #expect(rows.count <= 1)
        let report = Self.judge(number)
        #expect(report.errorClass == rows.first?.0 ?? .unclassified)
        #expect(report.fault == rows.first?.1 ?? .prober)
        #expect(report.errno == Errno(number))
        #expect(report.source == .kernel)
        #expect(report.message == String(cString: strerror(number)))
    }

    @Test(arguments: Phase.allCases)
    func everyNumberIsClassifiedInEveryPhaseAndTransport(phase: Phase) {
        let transports: [Circumstances.Transport] = [.tcp, .udp, .unix(.stream), .unix(.dgram), .unix(.seqpacket)]
        for transport in transports {
            for number in Int32(-1)...600 {
                let report = Self.judge(number, Self.at(phase, transport))
                #expect(report.errno == Errno(number))
                #expect(!report.name.isEmpty && !report.hint.isEmpty)
                if phase == .bind { #expect(report.errorClass == .proberMisconfigured) }
            }
        }
    }

    @Test func anUnknownNumberIsReportedWithItsNumberAndStrerror() {
        let report = Self.judge(523)
        #expect(report.errno == Errno(523))
        #expect(report.name == "ERRNO_523")
        #expect(report.message == String(cString: strerror(523)))
        #expect(report.errorClass == .unclassified)
        #expect(report.fault == .prober)
        #expect(Self.judge(ENOSPC).name == "ENOSPC")
    }

    @Test(arguments: [EIO, EXDEV, 523])
    func anUnclassifiedErrorIsTheTargetsFaultAfterThePeerAnswered(number: Int32) {
        #expect(Self.judge(number, Self.at(.dialog) { $0.peerSpoke = true }).fault == .target)
        #expect(Self.judge(number, Self.at(.dialog)).fault == .prober)
    }

    @Test(arguments: [Phase.tls, .dialog, .hold])
    func aTimeoutAfterTheConnectIsTheTargetsFault(phase: Phase) {
        let kernel = Self.judge(ETIMEDOUT, Self.at(phase))
        let own = Classifier.deadlineReport(in: Self.at(phase))
        #expect(kernel.errorClass == .timeout && own.errorClass == .timeout)
        #expect(kernel.fault == .target && own.fault == .target)
    }

    @Test func ourDeadlineIsNotReportedAsTheKernelsTimeout() {
        let own = Classifier.deadlineReport(in: Self.at())
        #expect(own.name == "DEADLINE" && own.errno == nil && own.source == .deadline && own.fault == .network)
        let kernel = Self.judge(ETIMEDOUT)
        #expect(kernel.name == "ETIMEDOUT" && kernel.errno == Errno(ETIMEDOUT) && kernel.source == .kernel)
        #expect(kernel.fault == .network)
    }

    @Test func aDeadlineDuringTheResolutionIsTheResolversFault() {
        let report = Classifier.deadlineReport(in: Self.at(.resolve))
        #expect(report.name == "DNS_TIMEOUT" && report.errorClass == .resolveFailed)
        #expect(report.fault == .resolver && report.source == .resolver)
    }

    @Test func aUDPDialogWithoutAnAnswerIsATimeout() {
        let report = Classifier.deadlineReport(in: Self.at(.dialog, .udp))
        #expect(report.errorClass == .timeout && report.fault == .target && report.hint == Hints.silentUDP)
    }

    @Test(arguments: [ECONNRESET, ECONNABORTED, EPIPE])
    func aResetWhileHeldIsClosedEarly(number: Int32) {
        let report = Self.judge(number, Self.at(.hold))
        #expect(report.errorClass == .closedEarly && report.fault == .target)
        #expect(Self.judge(number, Self.at(.tls)).errorClass == .reset)
        #expect(Self.judge(number, Self.at(.dialog)).errorClass == .reset)
    }

    @Test func aMissingLocalAddressIsExhaustionOrAFamilyWithoutAddress() {
        #expect(Self.judge(EADDRNOTAVAIL).errorClass == .proberExhausted)
        #expect(Self.judge(EADDRNOTAVAIL).retryable)
        for circumstances in [Self.at(.connect, .udp), Self.at { $0.hasAddressOfFamily = false }] {
            let report = Self.judge(EADDRNOTAVAIL, circumstances)
            #expect(report.errorClass == .proberMisconfigured && report.fault == .prober && !report.retryable)
        }
        let fixedPort = Self.judge(EADDRNOTAVAIL, Self.at { $0.requestedBind = .port })
        #expect(fixedPort.errorClass == .proberExhausted && fixedPort.hint == Hints.sourcePortStillUsed)
    }

    @Test(arguments: UnixSocketType.allCases)
    func onAUnixSocketEAGAINIsAFullBacklog(socketType: UnixSocketType) {
        let report = Self.judge(EAGAIN, Self.at(.connect, .unix(socketType)))
        #expect(report.errorClass == .backlogFull && report.fault == .target && report.retryable)
    }

    @Test func anAutobindWithEAGAINIsExhaustion() {
        let report = Self.judge(EAGAIN, Self.at(.connect, .udp))
        #expect(report.errorClass == .proberExhausted && report.fault == .prober)
    }

    @Test func invalidArgumentIsABlackholeOrALoopbackSource() {
        let blackhole = Self.judge(EINVAL)
        #expect(blackhole.errorClass == .unreachable && blackhole.fault == .network)
        let local = Self.at { $0.source = Self.loopback }
        #expect(Self.judge(EINVAL, local).errorClass == .proberMisconfigured)
        #expect(Self.judge(EINVAL, local).fault == .prober)
        let requested = Self.at {
            $0.source = Self.loopback
            $0.requestedBind = .address
        }
        #expect(Self.judge(EINVAL, requested).errorClass == .proberMisconfigured)
        #expect(Self.judge(EINVAL, requested).fault == .request)
        #expect(Self.judge(EINVAL, Self.at(.connect, .unix(.stream))).errorClass == .unclassified)
    }

    @Test(arguments: [0xE000_0001, 0xEFFF_FFFF, 0xFFFF_FFFF] as [UInt32])
    func theHintForTCPToAMulticastGroupMentionsLinux(bits: UInt32) {
        let circumstances = Self.at { $0.destination = .v4(IPv4Address(bits: bits)) }
        let report = Self.judge(ENETUNREACH, circumstances)
        #expect(report.name == "ENETUNREACH" && report.errorClass == .unreachable)
        #expect(report.hint.contains("EINVAL") && !report.retryable)
    }

    @Test func aPathThatIsNotASocketIsTheRequestsFault() {
        let report = Self.judge(ENOTSOCK, Self.at(.connect, .unix(.stream)))
        #expect(report.errorClass == .wrongType && report.fault == .request)
        #expect(Self.judge(ENOTSOCK).errorClass == .internal)
    }

    @Test func unixAccessDistinguishesSearchFromWrite() {
        func hint(_ access: Circumstances.UnixAccess) -> String {
            let report = Self.judge(EACCES, Self.at(.connect, .unix(.stream)) { $0.unixAccess = access })
            #expect(report.errorClass == .notPermitted && report.fault == .prober)
            return report.hint
        }
        #expect(hint(.searchDenied).contains("search"))
        #expect(hint(.writeDenied).contains("write"))
        #expect(Set([hint(.unknown), hint(.searchDenied), hint(.writeDenied)]).count == 3)
    }

    @Test(arguments: [EADDRINUSE, EADDRNOTAVAIL, EACCES, EPERM, EINVAL, ENODEV, ENOBUFS, EIO])
    func aRequestedBindThatFailsIsTheRequestsFault(number: Int32) {
        let requested = Self.judge(number, Self.at(.bind) { $0.requestedBind = [.address, .port] })
        #expect(requested.errorClass == .proberMisconfigured && requested.fault == .request)
        let unasked = Self.judge(number, Self.at(.bind))
        #expect(unasked.errorClass == .proberMisconfigured && unasked.fault == .prober)
    }

    @Test func aRequestedBindThatFailsForLackOfMemoryIsTheProbersFault() {
        let report = Self.judge(ENOMEM, Self.at(.bind) { $0.requestedBind = [.address, .port] })
        #expect(report.errorClass == .proberMisconfigured && report.fault == .prober)
    }

    @Test func aMissingInterfaceThatTheRequestNamesIsTheRequestsFault() {
        #expect(Self.judge(ENODEV, Self.at(.socket)).fault == .prober)
        for phase in [Phase.socket, .bind, .connect] {
            let report = Self.judge(ENODEV, Self.at(phase) { $0.requestedBind = .interface })
            #expect(report.errorClass == .proberMisconfigured && report.fault == .request)
        }
        let zone = Self.at { $0.destination = .v6(IPv6Address(bits: UInt128(0xFE80) << 112 | 1, zone: "eth9")) }
        #expect(Self.judge(ENODEV, zone).fault == .request)
    }

    @Test(
        arguments: [
            (0xFE80, nil, .request), (0xFEBF, nil, .request), (0xFF02, nil, .request),
            (0xFF01, nil, .request), (0xFF12, nil, .request), (0xFE80, "eth0", .network),
            (0xFF05, nil, .network), (0xFEC0, nil, .network), (0x2001, nil, .network),
        ] as [(UInt128, String?, Fault)])
    func `a link-local address without a zone is the request's fault`(
        prefix: UInt128, zone: String?, fault: Fault
    ) {
        for transport in [Circumstances.Transport.tcp, .udp] {
            var circumstances = Circumstances(phase: .connect, transport: transport)
            circumstances.destination = .v6(IPv6Address(bits: prefix << 112 | 1, zone: zone))
            let report = Self.judge(EINVAL, circumstances)
            #expect(report.fault == fault && report.errorClass == .unreachable && !report.retryable)
            #expect(report.hint.contains("zone") == (fault == .request))
            // A DNS record cannot contain a zone, so the request is not at fault.
            circumstances.destinationIsResolved = true
            #expect(Self.judge(EINVAL, circumstances).fault == (fault == .request ? .resolver : fault))
        }
    }

    @Test func `a path that does not answer differs from a silent peer`() {
        var circumstances = Circumstances(phase: .connect, transport: .unix(.stream))
        circumstances.unixAccess = .unanswered
        let report = Classifier.deadlineReport(in: circumstances)
        #expect(report.name == "DEADLINE" && report.errorClass == .timeout && report.hint.contains("file system"))
    }

    @Test func aRefusedSocketOptionIsTheProbersFault() {
        #expect(Self.judge(EPERM, Self.at(.socket)).errorClass == .notPermitted)
        #expect(Self.judge(EMFILE, Self.at(.socket)).errorClass == .proberExhausted)
        for number in [ENOPROTOOPT, EOPNOTSUPP, EINVAL, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT] {
            let report = Self.judge(number, Self.at(.socket))
            #expect(report.errorClass == .proberMisconfigured && report.fault == .prober)
        }
    }

    @Test(arguments: [
        (ResolveFailure.nxdomain, "NXDOMAIN"), (.noData, "NODATA"), (.serverFailure, "SERVFAIL"),
        (.refused, "REFUSED"), (.timeout, "DNS_TIMEOUT"), (.unreachable, "DNS_UNREACHABLE"),
        (.badAnswer, "DNS_BAD_ANSWER"), (.formatError, "FORMERR"), (.notImplemented, "NOTIMP"),
        (.responseCode(6), "YXDOMAIN"), (.responseCode(7), "YXRRSET"), (.responseCode(8), "NXRRSET"),
        (.responseCode(9), "NOTAUTH"), (.responseCode(10), "NOTZONE"), (.responseCode(16), "BADVERS"),
        (.responseCode(11), "DNS_RCODE"), (.responseCode(4095), "DNS_RCODE"),
    ])
    func resolverFailuresKeepTheirNames(failure: ResolveFailure, name: String) {
        let report = Classifier.report(for: failure)
        #expect(report.name == name && report.errno == nil)
        #expect(report.errorClass == .resolveFailed && report.fault == .resolver && report.source == .resolver)
    }

    @Test(arguments: [EMFILE, ENFILE, ENOMEM, ENOBUFS, ENOSPC, EAGAIN])
    func aShortageDuringTheResolutionIsTheProbersFault(number: Int32) {
        let report = Classifier.report(for: .shortage(Errno(number)))
        #expect(report.errorClass == .proberExhausted && report.fault == .prober && report.source == .kernel)
        #expect(report.errno == Errno(number))
    }

    @Test(arguments: [Phase.socket, .connect, .tls, .dialog])
    func anEpollLimitIsAShortage(phase: Phase) {
        let report = Self.judge(ENOSPC, Self.at(phase))
        #expect(report.errorClass == .proberExhausted && report.fault == .prober && report.name == "ENOSPC")
        #expect(report.hint.contains("fs.epoll.max_user_watches"))
    }

    @Test(arguments: [6, 9, 11, 16, 23] as [UInt16])
    func theMessageHasTheNumberOfAnUnusualResponseCode(code: UInt16) {
        #expect(Classifier.report(for: .responseCode(code)).message.contains("(response code \(code))"))
    }

    @Test(arguments: [
        (OwnError.dialogMismatch, ErrorClass.dialogFailed, Fault.target, ErrorSource.dialog),
        (.dialogRejected, .dialogFailed, .target, .dialog), (.dialogClosed, .dialogFailed, .target, .dialog),
        (.selfConnect, .refused, .target, .kernel), (.proberBusy, .proberExhausted, .prober, .deadline),
        (.denied, .denied, .request, .policy),
        (.invalid, .invalid, .request, .policy), (.cancelled, .cancelled, .request, .policy),
    ])
    func ownErrorsHaveTheirClass(error: OwnError, errorClass: ErrorClass, fault: Fault, source: ErrorSource) {
        let report = Classifier.report(for: error)
        #expect(report.errno == nil && report.name == error.rawValue)
        #expect(report.errorClass == errorClass && report.fault == fault && report.source == source)
    }

    @Test func aCancelledResolutionIsACancelledCheck() {
        #expect(Classifier.report(for: ResolveFailure.cancelled).errorClass == .cancelled)
    }

    @Test func onlyTemporaryErrorsAreRetryable() {
        for number in [ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENOENT, EMFILE, EADDRNOTAVAIL] {
            #expect(Self.judge(number).retryable)
        }
        for number in [EACCES, EPERM, ENAMETOOLONG, ELOOP, EPROTOTYPE, EBADF, EAFNOSUPPORT, ENOTDIR, EINVAL] {
            #expect(!Self.judge(number).retryable)
        }
    }
}

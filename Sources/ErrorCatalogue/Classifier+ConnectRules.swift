internal import Glibc
internal import NetworkTypes

/// The rules for errors of connect(2) and of later phases that depend on more than the error number.
extension Classification {
    mutating func classifyConnect(_ errno: Errno, _ circumstances: Circumstances) {
        switch errno.rawValue {
        case ECONNREFUSED: classifyRefusal(circumstances)
        case ETIMEDOUT: classifyTimeout(circumstances, isDeadline: false)
        case ECONNRESET, ECONNABORTED, EPIPE: classifyReset(circumstances)
        case EADDRNOTAVAIL: classifyMissingLocalAddress(circumstances)
        case EAGAIN: classifyAgain(circumstances)
        case EINVAL: classifyInvalidArgument(circumstances)
        case ENETUNREACH: classifyNoRoute(circumstances)
        case EACCES, EPERM: classifyProhibition(errno, circumstances)
        case ENODEV: classifyInterface(circumstances)
        case ENOTSOCK where circumstances.transport.isUnix:
            set(.wrongType, fault: .request, retryable: false, hint: Hints.pathIsNotSocket)
        case ENOSPC where circumstances.transport.isUnix:
            // The file system is full: a path never reaches the limit of epoll watches, which the catalogue explains.
            set(.unclassified, fault: .prober, retryable: false, hint: Hints.fileSystemFull)
        default:
            if errorClass == .unclassified { classifyUnclassified(circumstances) }
        }
    }

    private mutating func classifyUnclassified(_ circumstances: Circumstances) {
        errorClass = .unclassified
        fault = circumstances.peerSpoke ? .target : .prober
    }

    private mutating func classifyRefusal(_ circumstances: Circumstances) {
        switch circumstances.transport {
        case .unix: hint = Hints.unixRefused
        case .udp: hint = Hints.udpRefused
        case .tcp:
            if circumstances.destinationIsLoopback { hint = Hints.refusedOnLoopback }
        }
    }

    private mutating func classifyReset(_ circumstances: Circumstances) {
        switch circumstances.phase {
        case .hold: set(.closedEarly, fault: .target, retryable: true, hint: Hints.resetWhileHeld)
        case .tls: hint = Hints.resetInTLS
        case .dialog: hint = Hints.resetInDialog
        case .policy, .resolve, .socket, .bind, .connect, .done: break
        }
    }

    /// Classifies ETIMEDOUT and connectd's own deadline: both have the same fault, but different names.
    mutating func classifyTimeout(_ circumstances: Circumstances, isDeadline: Bool) {
        switch circumstances.phase {
        case .tls:
            fault = .target
            hint = circumstances.isBeforeTLS ? Hints.silentBeforeTLS : Hints.silentInTLS
        case .dialog:
            fault = .target
            hint = circumstances.transport == .udp ? Hints.silentUDP : Hints.silentInDialog
            if circumstances.asksPreset { hint = Hints.silentPreset }
        case .hold:
            fault = .target
            hint = isDeadline ? Hints.deadlineWhileHeld : Hints.silentWhileHeld
        case .policy, .resolve, .socket, .bind, .connect, .done:
            if let reason = circumstances.tcpInformation?.unsent {
                hint = Hints.unsent(reason)
            } else if circumstances.signsWithMD5 {
                hint = Hints.silentWithMD5
            } else if circumstances.destinationIsLoopback {
                hint = Hints.silentOnLoopback
            } else if isDeadline, circumstances.transport.isUnix {
                hint = circumstances.unixAccess == .unanswered ? Hints.pathUnanswered : Hints.silentUnix
            } else if let count = circumstances.tcpInformation?.synSent {
                hint = Hints.unanswered(synCount: Int(count), isDeadline: isDeadline) ?? hint
            }
        }
    }

    private mutating func classifyMissingLocalAddress(_ circumstances: Circumstances) {
        if !circumstances.hasAddressOfFamily || circumstances.transport == .udp {
            set(.proberMisconfigured, fault: .prober, retryable: false, hint: Hints.familyWithoutAddress)
        } else if circumstances.requestedBind.contains(.port) {
            hint = Hints.sourcePortStillUsed
        }
    }

    private mutating func classifyAgain(_ circumstances: Circumstances) {
        switch (circumstances.transport, circumstances.phase) {
        case (.unix, _):
            break
        case (.tcp, .hold), (.tcp, .tls), (.tcp, .dialog):
            set(.unclassified, fault: .prober, retryable: true, hint: Hints.unhandledAgain)
            classifyUnclassified(circumstances)
        case (.tcp, _), (.udp, _):
            set(.proberExhausted, fault: .prober, retryable: true, hint: Hints.autobindExhausted)
        }
    }

    private mutating func classifyInvalidArgument(_ circumstances: Circumstances) {
        if circumstances.transport.isUnix {
            set(.unclassified, fault: .prober, retryable: false, hint: Hints.unixInvalidArgument)
            classifyUnclassified(circumstances)
        } else if circumstances.sourceIsLoopback, !circumstances.destinationIsLoopback {
            let bound = circumstances.requestedBind.contains(.address)
            set(
                .proberMisconfigured, fault: bound ? .request : .prober, retryable: false, hint: Hints.loopbackSource)
        } else if circumstances.destinationLacksZone {
            classifyMissingZone(circumstances)
        } else if circumstances.destinationIsMulticastOrBroadcast {
            hint = Hints.multicastInvalid
        }
    }

    /// Blames the source of the address without a zone: the request, or the DNS record, which cannot contain one.
    private mutating func classifyMissingZone(_ circumstances: Circumstances) {
        if circumstances.destinationIsResolved {
            set(errorClass, fault: .resolver, retryable: false, hint: Hints.zoneMissingInRecord)
        } else {
            set(errorClass, fault: .request, retryable: false, hint: Hints.zoneMissing)
        }
    }

    private mutating func classifyNoRoute(_ circumstances: Circumstances) {
        if circumstances.destinationIsMulticastOrBroadcast {
            retryable = false
            if circumstances.transport == .tcp { hint = Hints.multicastUnreachable }
        } else if !circumstances.hasAddressOfFamily {
            hint = Hints.familyWithoutRoute
        }
    }

    /// Classifies EACCES and EPERM without an ICMP message: the prober's own rules forbid the connection.
    private mutating func classifyProhibition(_ errno: Errno, _ circumstances: Circumstances) {
        switch circumstances.transport {
        case .unix where errno.rawValue == EACCES:
            switch circumstances.unixAccess {
            case .unknown, .unanswered: hint = Hints.unixAccessDenied
            case .searchDenied: hint = Hints.unixSearchDenied
            case .writeDenied: hint = Hints.unixWriteDenied
            }
        case .unix(.dgram):
            hint = Hints.unixPeerElsewhere
        case .udp where errno.rawValue == EACCES && circumstances.destinationIsMulticastOrBroadcast:
            hint = Hints.udpBroadcastForbidden
        case .udp where errno.rawValue == EPERM && circumstances.phase == .dialog:
            hint = Hints.udpSendDropped
        case .tcp, .udp, .unix:
            if errno.rawValue == EPERM, circumstances.signsWithMD5 { hint = Hints.md5NotConfigured }
        }
    }
}

/// The rules for the steps before connect(2). Nothing was sent, so an error is never the target's or the network's.
extension Classification {
    /// Classifies errors of bind(2) and SO_BINDTODEVICE, which have one class. The request is at fault if it asked for
    /// the bind, unless the machine is out of memory.
    mutating func classifyBind(_ errno: Errno, _ circumstances: Circumstances) {
        let requested = circumstances.requestedBind
        set(
            .proberMisconfigured, fault: requested.isEmpty || errno == .outOfMemory ? .prober : .request,
            retryable: errno.rawValue == EADDRINUSE,
            hint: Self.bindHint(errno, requested))
    }

    private static func bindHint(_ errno: Errno, _ requested: Circumstances.RequestedBind) -> String {
        switch errno.rawValue {
        case EADDRINUSE: Hints.bindPortTaken
        case EADDRNOTAVAIL: Hints.bindForeignAddress
        case EACCES: Hints.bindPrivilegedPort
        case EPERM: requested.contains(.interface) ? Hints.bindInterfaceForbidden : Hints.bindForbidden
        case ENODEV: Hints.noSuchInterface
        case EINVAL, EAFNOSUPPORT: Hints.bindWrongFamily
        default: Hints.bindOther
        }
    }

    /// Classifies errors of socket(2) and setsockopt(2). Numbers that mean `unreachable` after a packet mean here that
    /// the kernel lacks an option.
    mutating func classifySocket(_ errno: Errno, _ circumstances: Circumstances) {
        switch errno.rawValue {
        case EPERM:
            hint = Hints.optionForbidden
        case EACCES:
            hint = Hints.socketForbidden
        case ENODEV:
            classifyInterface(circumstances)
        case ENOPROTOOPT:
            set(.proberMisconfigured, fault: .prober, retryable: false, hint: Hints.optionMissing)
        case EAGAIN:
            set(.proberExhausted, fault: .prober, retryable: true, hint: Hints.localShortage)
        case _ where errorClass == .unreachable:
            set(.proberMisconfigured, fault: .prober, retryable: false, hint: Hints.optionRefused)
        default:
            break
        }
    }

    /// Classifies ENODEV: the request is at fault if it named the interface, in `bind` or as a zone.
    mutating func classifyInterface(_ circumstances: Circumstances) {
        guard circumstances.requestNamesInterface else { return }
        fault = .request
        hint = Hints.noSuchInterface
    }
}

internal import Glibc

/// The steps before connect(2): nothing was sent, so that no error is the target's or the network's.
extension Judgement {
    /// Every error of bind(2) and SO_BINDTODEVICE is one class; the request is at fault where it asked for it.
    mutating func judgeBind(_ errno: Errno, _ circumstances: Circumstances) {
        let requested = circumstances.requestedBind
        set(
            .proberMisconfigured, fault: requested.isEmpty ? .prober : .request,
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

    /// socket(2) and setsockopt(2): what a packet would make `unreachable` is here a kernel that lacks an option.
    mutating func judgeSocket(_ errno: Errno, _ circumstances: Circumstances) {
        switch errno.rawValue {
        case EPERM:
            hint = Hints.optionForbidden
        case EACCES:
            hint = Hints.socketForbidden
        case ENODEV:
            judgeInterface(circumstances)
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

    /// ENODEV: the request is at fault where it named the interface, as its own `bind` or as a zone.
    mutating func judgeInterface(_ circumstances: Circumstances) {
        guard circumstances.requestNamesInterface else { return }
        fault = .request
        hint = Hints.noSuchInterface
    }
}

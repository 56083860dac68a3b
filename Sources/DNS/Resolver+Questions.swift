internal import CLinux
internal import CheckModel
internal import SocketIO

// Asking: one question, several servers, several who wait.
extension Resolver {
    /// Finds the question that is under way, or makes it; it is asked by `askNext`.
    func join(
        _ name: String, type: RecordType, in group: ServerGroup, lookup: Int, until deadline: MonotonicTime
    ) -> (identifier: Int, isNew: Bool) {
        let key = Question.Key(name: name, type: type, group: ObjectIdentifier(group))
        let now = Clock.now()
        if let identifier = questions.identifier(of: key), var question = questions[identifier] {
            question.lookups.insert(lookup)
            let isHurried = deadline != .distantFuture && question.schedule.fit(into: deadline.since(now))
            questions[identifier] = question
            if isHurried { armTimer(of: question, from: now) }
            return (identifier, false)
        }
        let identifier = questions.takeIdentifier()
        let timer = reactor.assumeIsolated { reactor in
            reactor.makeTimer { [weak self] in self?.assumeIsolated { $0.askNext(identifier) } }
        }
        var schedule = TrySchedule(servers: group.channels.count, rounds: group.settings.rounds)
        if deadline != .distantFuture { _ = schedule.fit(into: deadline.since(now)) }
        var question = Question(key: key, group: group, schedule: schedule, timer: timer)
        question.lookups = [lookup]
        questions.add(question, as: identifier)
        return (identifier, true)
    }

    /// Asks the next server; ends the question where none is left and none is waited for.
    func askNext(_ identifier: Int) {
        guard var question = questions[identifier] else { return }
        guard let server = question.schedule.next() else {
            questions[identifier] = question
            return endIfExhausted(identifier)
        }
        let channel = question.group.channels[server]
        let mayAsk = channel.inFlight < ServerChannel.largestInFlight
        if mayAsk { question.pending += 1 }
        questions[identifier] = question
        armTimer(of: question, from: Clock.now())
        if mayAsk { send(question.key, as: identifier, to: server, over: channel) }
    }

    private func send(_ key: Question.Key, as identifier: Int, to server: Int, over channel: ServerChannel) {
        let context = TryContext(
            resolver: self, channel: channel.identifier, question: identifier, server: server, type: key.type)
        channel.send(key.name, type: key.type, context: context)
        armTimer(of: channel)
    }

    private func armTimer(of question: Question, from now: MonotonicTime) {
        let next = now.advanced(byNanoseconds: question.schedule.patience)
        let timer = question.timer
        reactor.assumeIsolated { $0.arm(timer, at: next) }
    }

    /// The end of one try, from c-ares.
    /// - Parameter errno: as c-ares left it, behind a system call that failed.
    func ended(_ context: TryContext, with result: TryResult, errno: Errno) {
        guard let channel = groups.channel(context.channel) else { return }
        channel.inFlight -= 1
        channel.waiting.remove(context.question)
        questions[context.question]?.pending -= 1
        switch result {
        case .success, .failure(.nxdomain), .failure(.noData):
            end(context.question, with: result)
        case .failure(.unreachable) where channel.isSending && errno.isShortageHere:
            // Nothing was sent, which says nothing about the server: as if the message were lost.
            fail(context.question, server: context.server, because: .timeout)
        case .failure(.unreachable):
            // The way to the server is closed for all: when the kernel tells it to one who sends, c-ares lets the
            // others wait for answers that cannot come.
            let others = channel.waiting
            channel.waiting = []
            for question in others.union([context.question]) {
                fail(question, server: context.server, because: .unreachable)
            }
        case .failure(let failure):
            fail(context.question, server: context.server, because: failure)
        }
    }

    private func fail(_ identifier: Int, server: Int, because failure: ResolveFailure) {
        guard let mayAskNext = questions[identifier]?.schedule.failed(server, with: failure) else { return }
        if mayAskNext { askNext(identifier) } else { endIfExhausted(identifier) }
    }

    private func endIfExhausted(_ identifier: Int) {
        guard let question = questions[identifier] else { return }
        let nobodyIsLeft = question.schedule.isExhausted && question.pending == 0
        guard nobodyIsLeft || question.schedule.everyServerFailed else { return }
        end(identifier, with: .failure(question.schedule.failure))
    }

    private func end(_ identifier: Int, with result: TryResult) {
        guard let question = forget(identifier) else { return }
        for lookup in question.lookups { deliver(result, of: question.key.type, to: lookup) }
    }

    /// Takes a lookup away from a question that it does not wait for any more.
    func leave(_ identifier: Int, lookup: Int) {
        questions[identifier]?.lookups.remove(lookup)
        if questions[identifier]?.lookups.isEmpty == true { _ = forget(identifier) }
    }

    private func forget(_ identifier: Int) -> Question? {
        guard let question = questions.remove(identifier) else { return nil }
        let timer = question.timer
        reactor.assumeIsolated { $0.remove(timer) }
        return question
    }
}

extension Errno {
    /// Whether it tells of the prober's own want of memory, buffers or descriptors.
    fileprivate var isShortageHere: Bool {
        [EAGAIN, ENOBUFS, ENOMEM, EMFILE, ENFILE].contains(rawValue)
    }
}

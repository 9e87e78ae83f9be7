/// The methods of the control API, by their names on the line.
package enum ControlMethod: String, CaseIterable, Sendable {
    case nodeStatus = "node.status"
    case nodeVersion = "node.version"
    case nodeExamine = "node.examine"
    case nodeRevoke = "node.revoke"
    case nodeStop = "node.stop"
    case peersList = "peers.list"
    case contactsList = "contacts.list"
    case contactsShow = "contacts.show"
    case contactsSuspend = "contacts.suspend"
    case messageSend = "message.send"
    case inboxList = "inbox.list"
    case inboxSubscribe = "inbox.subscribe"
    case quarantineList = "quarantine.list"
    case announcementSend = "announcement.send"
    case announcementList = "announcement.list"
    case logHeads = "log.heads"
    case logList = "log.list"
    case logNotes = "log.notes"
    case logExport = "log.export"
    case logSubmit = "log.submit"
    case renewalsList = "renewals.list"
    case releaseList = "release.list"
    case wipeDraft = "wipe.draft"
    case wipeSign = "wipe.sign"
    case wipeList = "wipe.list"
    case eventsSubscribe = "events.subscribe"

    package struct Parameter: Sendable {
        package let name: String
        package let type: String
        package let isRequired: Bool
        package let meaning: String

        fileprivate init(_ name: String, _ type: String, required: Bool, _ meaning: String) {
            self.name = name
            self.type = type
            isRequired = required
            self.meaning = meaning
        }
    }

    package struct Description: Sendable {
        package let summary: String
        package let parameters: [Parameter]
        /// The fields of the result, as JSON.
        package let result: String
        /// Besides those of JSON-RPC itself.
        package let errors: [ControlError.Kind]
    }

    /// One page of a list, when the caller does not say.
    package static let defaultPage = 100
    package static let largestPage = 500

    package var description: Description {
        let page = [
            Parameter("after", "integer", required: false, "only what comes after this number; 0 when absent"),
            Parameter(
                "limit", "integer", required: false,
                "1 to \(Self.largestPage); \(Self.defaultPage) when absent"),
        ]
        switch self {
        case .nodeStatus:
            return Description(
                summary: "How the node is.", parameters: [],
                result: "mesh, meshName, device, label, links, held, heldBytes, ghosts, inbox, quarantined (apart from "
                    + "inbox), waiting, logEntries, notes, epoch, isHolding, timeIsTrusted, clockSpread (minutes between "
                    + "members' clocks by which mail is dated here; absent while they agree or are not needed), clockBehind "
                    + "(minutes that this machine's clock stands behind the time that has come already), staleness "
                    + "(`fresh`, `stale`, `stranded`), authorityHeard, gradeEnds (until when staleness stays so if no "
                    + "authority is heard of), certificateExpires, certificateValidity "
                    + "(`surelyValid`, `unknown`, `surelyExpired`, `notYetValid`), renewalAsked, suspended (devices kept out "
                    + "now), suspendedUntil (this one), revoked (why this one is), refusals {code of refusal: count}",
                errors: [])
        case .nodeVersion:
            return Description(
                summary: "Which program answers.", parameters: [],
                result: "version, build (SHA-256 of the program that runs the node, as it was when the node began; "
                    + "absent when it could not be read), protocolVersion, controlVersion", errors: [])
        case .nodeExamine:
            return Description(
                summary: "What somebody should look after, what is urgent first.", parameters: [],
                result: "findings [{kind (`clock`, `certificate`, `device`, `authority`, `staleness`, `behind`, "
                    + "`silent`, `peer`, `rekey`, `epoch`, `fork`, `suspension`, `revocation`, `order`, `waiting`), isUrgent, "
                    + "text, advice}]",
                errors: [])
        case .nodeRevoke:
            return Description(
                summary: "Revokes this device by its own key, for good, and tells the others.",
                parameters: [
                    Parameter(
                        "reason", "string", required: true,
                        "`retired`, `lost`, `compromised`, `superseded` or `policy`"),
                    Parameter("since", "time", required: false, "since when it is suspect; now when absent"),
                ],
                result: "told (linked devices that were told at once)", errors: [.policy, .unavailable])
        case .nodeStop:
            return Description(
                summary: "Ends the node after what is asked before.", parameters: [], result: "stopping", errors: [])
        case .peersList:
            return Description(
                summary: "Neighbours linked now.", parameters: [],
                result: "peers [{device, label, address, since, isCatchUp, bytesIn, bytesOut}]", errors: [])
        case .contactsList:
            return Description(
                summary: "Everybody in the mesh, oneself included, in the order of their ids: as many as there is room "
                    + "for in a line.",
                parameters: [
                    Parameter(
                        "after", "hex", required: false, "only devices with a greater id; all when absent")
                ],
                result:
                    "contacts [{device, label, subject, isRevoked, revoked (why; absent when it is a member), isSelf, "
                    + "hasBundle, suspendedUntil (absent when it is not kept out), suspensionMissing (how many more members "
                    + "have to ask for it; absent when none asks)}], more",
                errors: [])
        case .contactsShow:
            return Description(
                summary: "All that is known of one device: what it may do, until when, and what was said against it.",
                parameters: [
                    Parameter(
                        "device", "string", required: true,
                        "an exact label, or at least six hex digits that begin a device id")
                ],
                result:
                    "contact, as in `contacts.list`, rights [word], zones, authority, authorityLabel, serial, begins, "
                    + "expires (of its current certificate), validity (as certificateValidity of `node.status`), supersedes "
                    + "(the device whose place it took), notes, as in `log.notes`, the oldest first, more (`log.notes` has the rest)",
                errors: [.notFound, .ambiguous])
        case .contactsSuspend:
            return Description(
                summary: "Asks in this device's name that another be kept out until an authority decides. It takes "
                    + "another device of the same person, or two members.",
                parameters: [
                    Parameter(
                        "device", "string", required: true,
                        "an exact label, or at least six hex digits that begin a device id"),
                    Parameter(
                        "reason", "string", required: true,
                        "`retired`, `lost`, `compromised`, `superseded` or `policy`"),
                    Parameter(
                        "days", "integer", required: false,
                        "1 to 7, of which some hours are left off; 7 when absent"),
                ],
                result: "device, label, asked (until when this device asks for it), suspendedUntil (absent while too "
                    + "few ask), missing (how many more have to)",
                errors: [.notFound, .ambiguous, .policy, .bounds])
        case .messageSend:
            return Description(
                summary: "Seals a message and hands it to the mesh. Answered when it is stored.",
                parameters: [
                    Parameter(
                        "to", "string", required: true,
                        "an exact label, or at least six hex digits that begin a device id"),
                    Parameter("text", "string", required: true, "the message"),
                ],
                result: "id, state (`sealed`, or `waitingForKeys` until the recipient's keys arrive)",
                errors: [.notFound, .ambiguous, .policy, .bounds, .unavailable])
        case .inboxList:
            return Description(
                summary: "Messages received, oldest first.", parameters: page,
                result: "messages [{sequence, id, from, label, sent, received, text, standing (`fine`, `sinceRevoked`: "
                    + "the sender was revoked later, `compromisedThen`: it was in other hands when it wrote), revoked (why the "
                    + "sender was: `retired`, `lost`, `compromised`, `superseded`, `policy`)}], more",
                errors: [])
        case .inboxSubscribe:
            return Description(
                summary: "Sends a notification `inbox.message` for each message from now on.",
                parameters: [
                    Parameter(
                        "after", "integer", required: false,
                        "first those with a sequence above it; only new ones when absent")
                ],
                result: "subscribed", errors: [])
        case .quarantineList:
            return Description(
                summary: "Messages that came after their sender was revoked, oldest first. None is an instruction.",
                parameters: page + [
                    Parameter("hidden", "boolean", required: false, "also those of compromised senders")
                ],
                result: "messages, as in `inbox.list`, with standing `quarantined`, or `hidden` when the sender was "
                    + "compromised; more",
                errors: [])
        case .announcementSend:
            return Description(
                summary: "Announces to everybody of the mesh or of a zone, when the certificate allows it.",
                parameters: [
                    Parameter("text", "string", required: true, "1 to 2048 bytes, without control characters"),
                    Parameter(
                        "priority", "string", required: false,
                        "`emergency`, `urgent`, `normal` or `bulk`; `normal` when absent"),
                    Parameter("hours", "integer", required: false, "1, 6, 24, 72, 168 or 336; 72 when absent"),
                    Parameter("zone", "integer", required: false, "0 to 254; everybody when absent"),
                    Parameter(
                        "severity", "string", required: false,
                        "`information`, `advice`, `warning` or `alarm`; `information` when absent"),
                    Parameter("drill", "boolean", required: false, "it is an exercise"),
                    Parameter(
                        "supersedes", "integer", required: false, "the number of an own announcement it replaces"),
                    Parameter(
                        "formerMembersToo", "boolean", required: false,
                        "let an emergency go out although a former member can read it"),
                ],
                result: "announcement, as in `announcement.list`",
                errors: [.notFound, .policy, .bounds, .unavailable])
        case .announcementList:
            return Description(
                summary: "Announcements heard and made, the newest first, and the numbers that did not come.",
                parameters: [],
                result: "announcements [{author, label, sequence, zone, issued, expires, received, priority, severity, "
                    + "text, isDrill, supersedes, state (`current`, `waiting`, `expired`, `superseded`, "
                    + "`authorRevoked`, `authorCompromised`, `contradicted`), isReadByFormerMembers}], "
                    + "missing [{author, label, sequences}], more",
                errors: [])
        case .logHeads:
            return Description(
                summary: "The newest entry of each authority's log.", parameters: [],
                result: "heads [{log, sequence, id, isForked (nobody has chosen between its branches, and this is the "
                    + "last entry that stands)}], sealTo (base64: the X25519 key of this run, which the keys of "
                    + "`log.submit` are sealed to)", errors: [])
        case .logList:
            return Description(
                summary: "Accepted entries of the membership log, in the order of acceptance.", parameters: page,
                result: "entries [{position, log, label (of the log's authority), sequence, id, time, summary, mark "
                    + "(absent when it counts; `forked`: nobody has chosen between branches, `dropped`: another branch was "
                    + "chosen, `void`: its authority was dismissed, or had no right)}], more", errors: [])
        case .logNotes:
            return Description(
                summary: "Revocations of devices, in the order of their ids.",
                parameters: [
                    Parameter(
                        "after", "hex", required: false, "only those with a greater id; all when absent"),
                    Parameter(
                        "limit", "integer", required: false,
                        "1 to \(Self.largestPage); \(Self.defaultPage) when absent"),
                ],
                result:
                    "notes [{id, hash, device, reason, issued, suspectSince, by, decision (`confirmed` or `lifted` by an "
                    + "authority; absent while none has decided), summary}], more", errors: [])
        case .logExport:
            return Description(
                summary: "The whole log as a `.log` file has it, page by page: entries in the order of acceptance, "
                    + "then revocations. Keys of epochs are never in it.",
                parameters: [
                    Parameter(
                        "after", "string", required: false,
                        "`next` of the page before; the first page when absent; `suspend:` and 64 zeros for what "
                            + "members ask to keep out, `receipt:` and 64 zeros for receipts of wipe orders, which each "
                            + "come alone"),
                    Parameter(
                        "limit", "integer", required: false,
                        "1 to \(Self.largestPage) objects; \(Self.defaultPage) when absent"),
                ],
                result: "objects [base64], next (absent when this was the last page)", errors: [])
        case .logSubmit:
            return Description(
                summary: "Hands what a `.log` file holds to the node, which checks it and passes it on.",
                parameters: [
                    Parameter(
                        "objects", "list of base64", required: true, "Signed objects, as they stand in a `.log` file"),
                    Parameter(
                        "epochKeys", "list of {entry, key}", required: false,
                        "keys of announced epochs, for an officer's own node: each sealed by HPKE in base mode (32 bytes "
                            + "encapsulated, then 48 of ciphertext and tag) to `sealTo` of `log.heads`, with the info "
                            + "`covey1:handed` and the 32 bytes of the entry's id"),
                ],
                result: "accepted, known, waiting, refused [sentence]", errors: [.bounds, .unavailable])
        case .renewalsList:
            return Description(
                summary: "Devices that asked for their next certificate and have no answer yet.", parameters: [],
                result: "renewals [{device, label, certificateExpires, issuer}]", errors: [])
        case .releaseList:
            return Description(
                summary: "The newest releases of the program, in the order of their log; nothing is fetched or run.",
                parameters: [],
                result: "releases [{version, entry, listed, installable, source, recipe, leastWire, artefacts [{name, "
                    + "sha256}]}], more (there are older ones)", errors: [])
        case .wipeDraft:
            return Description(
                summary:
                    "Orders a device of the organisation to lock or erase itself, in the name of this wipe officer; "
                    + "another one has to sign.",
                parameters: [
                    Parameter(
                        "device", "string", required: true,
                        "an exact label, or at least six hex digits that begin a device id"),
                    Parameter("mode", "string", required: true, "`lock` or `erase`"),
                    Parameter(
                        "reason", "string", required: false,
                        "`retired`, `lost`, `compromised`, `superseded` or `policy`; `lost` when absent"),
                    Parameter("days", "integer", required: false, "1 to 30 that it is good for; 20 when absent"),
                ],
                result: "note (the RevokeNote, Signed), device, label, mode, expires, officers [label], isInForce",
                errors: [.notFound, .ambiguous, .policy])
        case .wipeSign:
            return Description(
                summary:
                    "Signs an order that another wipe officer drafted. With two signatures it is in force, and spreads.",
                parameters: [
                    Parameter("note", "base64", required: true, "as `wipe.draft` gave it")
                ],
                result: "as of `wipe.draft`", errors: [.policy])
        case .wipeList:
            return Description(
                summary: "Orders to lock or erase a device, the newest first, and what became of them.", parameters: [],
                result: "orders [{order, device, label, mode, issued, expires, by, state (`carriedOut`, `waiting`, "
                    + "`expired`, `void`), done}], more",
                errors: [])
        case .eventsSubscribe:
            return Description(
                summary: "Sends a notification `events.event` for each thing the node notices.", parameters: [],
                result: "subscribed", errors: [])
        }
    }
}

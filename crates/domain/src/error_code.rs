//! Every error code of the API, once: its wire name, HTTP status, whether a retry can help, and what the error page says.
//!
//! A code is a promise: clients branch on it, so it is neither renamed nor given another status. The sentences may improve
//! at any time. The server's error page (`{public_url}/docs/errors#CODE`), the default `message` of a response and the
//! rustdoc below all come from the one table in this file, so they cannot disagree.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What the table says about one code.
struct Info {
    name: &'static str,
    http_status: u16,
    retryable: bool,
    message: &'static str,
    meaning: &'static str,
    cause: &'static str,
    remedy: &'static str,
}

/// Turns the table into the enum and its lookups. A row is
/// `Variant "WIRE_NAME" status [retryable] { message, meaning, cause, remedy }`.
macro_rules! error_codes {
    (@retryable) => { false };
    (@retryable retryable) => { true };
    ($(
        $variant:ident $name:literal $status:literal $($retryable:ident)? {
            message: $message:literal,
            meaning: $meaning:literal,
            cause: $cause:literal,
            remedy: $remedy:literal $(,)?
        }
    )+) => {
        /// A stable, machine-readable reason for a refused or failed request.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum ErrorCode {
            $(
                #[doc = concat!("`", $name, "` (", $status, "): ", $meaning)]
                $variant,
            )+
        }

        impl ErrorCode {
            /// Every code, grouped by [`ErrorType`] in the order of the error page.
            pub const fn all() -> &'static [ErrorCode] {
                &[$(ErrorCode::$variant),+]
            }

            const fn info(self) -> &'static Info {
                match self {
                    $(
                        ErrorCode::$variant => &Info {
                            name: $name,
                            http_status: $status,
                            retryable: error_codes!(@retryable $($retryable)?),
                            message: $message,
                            meaning: $meaning,
                            cause: $cause,
                            remedy: $remedy,
                        },
                    )+
                }
            }
        }

        impl FromStr for ErrorCode {
            type Err = UnknownErrorCode;

            /// Reads a wire name exactly as [`ErrorCode::as_str`] writes it.
            fn from_str(name: &str) -> Result<Self, UnknownErrorCode> {
                match name {
                    $($name => Ok(ErrorCode::$variant),)+
                    _ => Err(UnknownErrorCode),
                }
            }
        }
    };
}

error_codes! {
    // ---- validation_error: the request itself (400, 405, 413, 415) ----

    InvalidRequestBody "INVALID_REQUEST_BODY" 400 {
        message: "The body of this request is not JSON that the endpoint can read.",
        meaning: "The body does not parse as JSON, or its outermost value is not what the endpoint takes.",
        cause: "Often a trailing comma, single quotes, a body that was cut off, or a list where an object belongs.",
        remedy: "Run the body through a JSON validator and compare its shape with the example in the API reference.",
    }
    MissingParameter "MISSING_PARAMETER" 400 {
        message: "A parameter or field that this endpoint cannot do without was not sent.",
        meaning: "Something mandatory is absent from the query string or from the body.",
        cause: "It was left out, sent as null, or misspelt; misspelt names are listed in the X-Ignored-Parameters header.",
        remedy: "Send what `param` names, and read X-Ignored-Parameters for a name that was not recognised.",
    }
    InvalidParameter "INVALID_PARAMETER" 400 {
        message: "A parameter or field has a value of the wrong type, or one outside what is allowed.",
        meaning: "The name is known, its value is not acceptable, and the request was not carried out.",
        cause: "A number sent as text, a word outside the list of allowed ones, a value beyond its range, or two that exclude each other.",
        remedy: "Correct what `param` names; `message` says what is wrong with it.",
    }
    MissingHeader "MISSING_HEADER" 400 {
        message: "A header that this endpoint cannot do without was not sent.",
        meaning: "The request lacks an HTTP header that the endpoint depends on.",
        cause: "The client does not set it, or a proxy between the client and this server removed it; an upload must have a Content-Type.",
        remedy: "Set the header that `param` names, and make sure that every proxy on the way passes it on.",
    }
    InvalidHeader "INVALID_HEADER" 400 {
        message: "A request header has a value that this server cannot use.",
        meaning: "A header is there, but empty, too long, or made of characters that it must not hold.",
        cause: "Most often an Idempotency-Key that is empty or has more than 255 characters.",
        remedy: "Correct the header that `param` names; for Idempotency-Key a UUID per logical write is a good choice.",
    }
    InvalidPageSize "INVALID_PAGE_SIZE" 400 {
        message: "`size` must be a whole number from 1 to 100.",
        meaning: "The page length that was asked for is outside what one response may hold.",
        cause: "`size` is zero, negative, above 100, or no number at all.",
        remedy: "Ask for at most 100 entries and fetch the rest page by page while `pagination.has_more` is true.",
    }
    InvalidCursor "INVALID_CURSOR" 400 {
        message: "`cursor` is not one that this list handed out for these filters and this order.",
        meaning: "The position to continue from cannot be read or belongs to a different list.",
        cause: "The cursor was altered or shortened, or filters or sort order changed since it was issued.",
        remedy: "Start again without `cursor`, then pass `pagination.next_cursor` on unchanged and keep the filters.",
    }
    UnknownTimeZone "UNKNOWN_TIME_ZONE" 400 {
        message: "The time zone is not a name of the IANA database.",
        meaning: "Days and hours cannot be computed because the zone they should be counted in is not known.",
        cause: "An abbreviation such as CET or PST, a bare offset, or a spelling mistake.",
        remedy: "Use a region and city such as Europe/Paris or America/New_York, or UTC.",
    }
    InvalidPhoneFormat "INVALID_PHONE_FORMAT" 400 {
        message: "A phone number in this request is not in E.164 form.",
        meaning: "Numbers travel as a plus sign, the country code and the digits of the number, with nothing in between.",
        cause: "A national number, spaces or brackets inside it, or a plus sign that the URL turned into a space.",
        remedy: "Write it like +14155550100, and encode the plus sign as %2B where the number is part of a URL.",
    }
    InvalidPhoneNumber "INVALID_PHONE_NUMBER" 400 {
        message: "No phone number can be made out of the value that was sent.",
        meaning: "This endpoint takes numbers in any notation, but the value is no dialable number in the team's country either.",
        cause: "Digits are missing or too many, or a national number of another country came without its country code.",
        remedy: "Send the complete number with its country code, for example +33612345678.",
    }
    MissingAlloNumber "MISSING_ALLO_NUMBER" 400 {
        message: "Say in `allo_number` which of the team's lines is meant.",
        meaning: "The team has more than one number, so the request has to say which of them it is about.",
        cause: "`allo_number` was left out; only a team with exactly one number may do that.",
        remedy: "Choose a number from GET /v2/api/numbers and send it as `allo_number`, with %2B for the plus sign in a URL.",
    }
    MissingAlloNumberOrSenderId "MISSING_ALLO_NUMBER_OR_SENDER_ID" 400 {
        message: "Say with `allo_number` or `sender_id` which line the conversation is on.",
        meaning: "A note belongs to one conversation, and a contact may have one on each line of the team.",
        cause: "Neither of the two fields is in the request.",
        remedy: "Add `allo_number`, or `sender_id` for a line that only sends; GET /v2/api/numbers lists both.",
    }
    InvalidSearchQuery "INVALID_SEARCH_QUERY" 400 {
        message: "`search` holds no letter and no digit to look for.",
        meaning: "Only letters and digits are searched for, and after dropping everything else nothing remained.",
        cause: "The text is blank or consists of punctuation or symbols alone.",
        remedy: "Send one or more words or beginnings of words, or leave `search` out to list everything.",
    }
    InvalidDateRange "INVALID_DATE_RANGE" 400 {
        message: "The dates do not form a range: both must be YYYY-MM-DD, and `from` may not lie after `to`.",
        meaning: "The period that was asked for cannot be understood or ends earlier than it begins.",
        cause: "`from` and `to` are swapped, a day does not exist, or a time of day was sent where a date is expected.",
        remedy: "Send calendar days such as 2026-04-01; they are counted in the team's time zone and both ends are included.",
    }
    DateRangeTooWide "DATE_RANGE_TOO_WIDE" 400 {
        message: "The range of dates covers more than 366 days.",
        meaning: "Analytics are computed for a year at most in one request.",
        cause: "The days from `from` to `to`, both included, exceed the limit.",
        remedy: "Ask for one year at a time and put the answers together on your side.",
    }
    InvalidItemId "INVALID_ITEM_ID" 400 {
        message: "This is not the id of a call or a message.",
        meaning: "The id cannot belong to anything that this endpoint works on, so nothing was looked up.",
        cause: "The prefix is another one than `cll` or `msg`, characters are missing, or a message id went to an endpoint for calls.",
        remedy: "Use `id` exactly as POST /v2/api/conversations/items/search or a webhook gave it.",
    }
    BatchTooLarge "BATCH_TOO_LARGE" 400 {
        message: "One request may name 100 ids at most.",
        meaning: "The list of ids is longer than what is answered at once.",
        cause: "`ids` has more than 100 entries; repeated ones count too.",
        remedy: "Cut the list into pieces of 100 and send them one after another.",
    }
    TagsRequired "TAGS_REQUIRED" 400 {
        message: "`tags` is empty, so there is nothing to add.",
        meaning: "Tagging needs at least one tag key.",
        cause: "`tags` is missing, null or an empty list.",
        remedy: "Send one or more keys such as [\"qualified\"]; GET /v2/api/tags shows those in use.",
    }
    InvalidAction "INVALID_ACTION" 400 {
        message: "`action` must be READ, UNREAD, ARCHIVE or UNARCHIVE.",
        meaning: "The conversation was left as it is because the action is not a known one.",
        cause: "Another word, or one of the four in lower case.",
        remedy: "Send one of the four words in capitals.",
    }
    InvalidGranularity "INVALID_GRANULARITY" 400 {
        message: "`granularity` must be DAY, WEEK or MONTH.",
        meaning: "The series cannot be cut into the steps that were asked for.",
        cause: "Another word, or one of the three in lower case.",
        remedy: "Send one of the three words in capitals; weeks are ISO weeks and begin on Monday.",
    }
    InvalidGroupBy "INVALID_GROUP_BY" 400 {
        message: "`group_by` must be USER, ALLO_NUMBER or TAG.",
        meaning: "The breakdown cannot be made by what was asked for.",
        cause: "Another word, or one of the three in lower case.",
        remedy: "Send one of the three words in capitals, or nothing for a breakdown by user.",
    }
    UnsupportedExtendValue "UNSUPPORTED_EXTEND_VALUE" 400 {
        message: "`extend` names a part that this endpoint does not have.",
        meaning: "`extend` adds optional parts to an answer, and the one asked for does not exist here.",
        cause: "A spelling mistake, or the value of another endpoint: items take `transcript`, outbound analytics take `items`.",
        remedy: "Send a part that the endpoint's page in the API reference names, or leave `extend` out.",
    }
    SummaryTemplateKeyRequired "SUMMARY_TEMPLATE_KEY_REQUIRED" 400 {
        message: "This call has more than one summary; say in `template_key` which of them to change.",
        meaning: "An edit replaces one summary, and the call has several finished ones.",
        cause: "`template_key` was left out although both a full and a short summary were written.",
        remedy: "Send `template_key` as MARKDOWN_CLASSIC for the full one or MARKDOWN_SHORT_CALL for the short one.",
    }
    InvalidLength "INVALID_LENGTH" 400 {
        message: "A text message must have between 1 and 1,000 characters.",
        meaning: "A text is empty, or longer than the field named in `param` may be.",
        cause: "The content is blank, or a template grew beyond the limit once its placeholders were filled in.",
        remedy: "Shorten the text, or split it: a long message into several.",
    }
    InvalidToNumber "INVALID_TO_NUMBER" 400 {
        message: "`to` is not a number that can be reached.",
        meaning: "The recipient's number does not exist in any numbering plan, so nothing was sent or dialled.",
        cause: "Digits are missing or too many, the country code is wrong, or it is a short code.",
        remedy: "Check the number with the contact and send it in E.164 form, for example +14155550100.",
    }
    ToNumberCountryMismatch "TO_NUMBER_COUNTRY_MISMATCH" 400 {
        message: "The sending number and the recipient are in different countries.",
        meaning: "Texts from a number go only to recipients in the country of that number.",
        cause: "`from` has another country code than `to`.",
        remedy: "Send from a number of the recipient's country; GET /v2/api/numbers shows the country of each.",
    }
    NumberNotSmsEnabled "NUMBER_NOT_SMS_ENABLED" 400 {
        message: "The sending number cannot send text messages.",
        meaning: "This line carries voice only, or texting was switched off for it.",
        cause: "The carrier offers no texts on the number, or the operator of this server did not enable them.",
        remedy: "Send from a number with SMS among its `capabilities` in GET /v2/api/numbers, or ask the operator to enable it.",
    }
    LandlineNumberNotSupported "LANDLINE_NUMBER_NOT_SUPPORTED" 400 {
        message: "The recipient's number is a landline and does not take texts.",
        meaning: "By its numbering plan the number is fixed-line, so a text would not arrive.",
        cause: "The contact's main number is that of an office or a household.",
        remedy: "Send to a mobile number of the contact, or call instead.",
    }
    InvalidSenderId "INVALID_SENDER_ID" 400 {
        message: "`sender_id` must have 3 to 11 letters or digits, with at least one letter.",
        meaning: "The name to be shown as the sender is not one that carriers pass on.",
        cause: "It is too short or too long, holds a space or a symbol, or consists of digits alone.",
        remedy: "Choose a name such as MyCompany and have the operator of this server register it.",
    }
    SenderIdNotActive "SENDER_ID_NOT_ACTIVE" 400 {
        message: "This sender id is registered but not active yet.",
        meaning: "The name exists for the team, but texts may not be sent under it at the moment.",
        cause: "Its registration with the carrier is pending, was refused, or has been suspended.",
        remedy: "Look at its status in GET /v2/api/numbers, and ask the operator of this server to activate it.",
    }
    SenderIdInboxCannotSendSms "SENDER_ID_INBOX_CANNOT_SEND_SMS" 400 {
        message: "`from` names a sender id, and a sender id is not a phone number.",
        meaning: "A line that is only a sender name has no number to send from.",
        cause: "The identifier of a sender id was put where a phone number belongs.",
        remedy: "Send {\"sender_id\", \"to\", \"message\"} for a sender id, or use a phone number from GET /v2/api/numbers as `from`.",
    }
    MessageNotCompliant "MESSAGE_NOT_COMPLIANT" 400 {
        message: "The text breaks a content rule of this server and was not sent.",
        meaning: "The operator restricts what may be texted, as carriers and local law demand, and this text is caught by it.",
        cause: "A forbidden word or topic, a link shortener, or a missing way to opt out.",
        remedy: "Change the wording that `suggestion` points at, or ask the operator which rules apply.",
    }
    ProviderNotSupported "PROVIDER_NOT_SUPPORTED" 400 {
        message: "The carrier behind the sending number is not set up for texts on this server.",
        meaning: "The number is the team's, but no messaging connection of this server can send for it.",
        cause: "The number came from a carrier for which only calls are configured.",
        remedy: "Send from another number of GET /v2/api/numbers, or ask the operator to configure messaging for this carrier.",
    }
    InvalidEventType "INVALID_EVENT_TYPE" 400 {
        message: "`topics` holds a name that is not an event of this server.",
        meaning: "A webhook can be subscribed only to events that exist, so the endpoint was not changed.",
        cause: "A spelling mistake, or an underscore where a dot belongs.",
        remedy: "Take the names from GET /v2/api/webhooks/event_types.",
    }
    WebhookUrlNotAllowed "WEBHOOK_URL_NOT_ALLOWED" 400 {
        message: "Webhooks can be sent to public https addresses only.",
        meaning: "The URL was refused so that webhooks cannot be used to reach into a private network.",
        cause: "The scheme is http, or the host resolves to a private, loopback or link-local address, or not at all.",
        remedy: "Give a public https URL; for development the operator of this server can allow single hosts.",
    }
    WebhookLimitReached "WEBHOOK_LIMIT_REACHED" 400 {
        message: "A team has at most 100 webhook endpoints.",
        meaning: "No endpoint was made; those there are stay as they are.",
        cause: "The team has as many endpoints as it may have, often because a script makes a new one at every start.",
        remedy: "List them with GET /v2/api/webhooks, delete those that nobody needs, and subscribe one endpoint to several topics.",
    }
    TeamLimitReached "TEAM_LIMIT_REACHED" 400 {
        message: "The team has as many of these as a team may have.",
        meaning: "Nothing was made; `message` names the limit, and `param` the field that asked for one more.",
        cause: "Keys, users with open invitations, tags, sender ids, properties and summary templates have a limit for each team, which scripts that never clean up reach first.",
        remedy: "Remove what nobody needs any more (API keys: DELETE /v2/api/keys/{id}), then send the request again.",
    }
    DialingQueueLimitReached "DIALING_QUEUE_LIMIT_REACHED" 400 {
        message: "A dialing queue holds 1,000 numbers at most, and this request would exceed that.",
        meaning: "None of the numbers was added.",
        cause: "The numbers already queued and those in the request add up to more than the limit.",
        remedy: "Send fewer numbers, or make room first with DELETE /v2/api/dialing-queues/current/numbers.",
    }
    DialingQueueAssigneeRequired "DIALING_QUEUE_ASSIGNEE_REQUIRED" 400 {
        message: "Say with `user_id` or `email` who the queue should go to.",
        meaning: "A queue cannot be handed over without a new owner.",
        cause: "The body has neither of the two fields.",
        remedy: "Pick a colleague from GET /v2/api/users and send the id as `user_id`.",
    }
    DialingQueueDeleteFilterRequired "DIALING_QUEUE_DELETE_FILTER_REQUIRED" 400 {
        message: "Say which numbers to remove: `number`, `position` or `unassigned=true`.",
        meaning: "Without a filter nothing is removed, so that a queue is never emptied by accident.",
        cause: "The query string has none of the three parameters.",
        remedy: "Add one of them, or start over with an empty queue by POST /v2/api/dialing-queues/current.",
    }
    DialingQueueDeleteFilterConflict "DIALING_QUEUE_DELETE_FILTER_CONFLICT" 400 {
        message: "`unassigned=true` stands alone; it does not go with `number` or `position`.",
        meaning: "The two kinds of filter contradict each other, and nothing was removed.",
        cause: "The request asks for everything not called yet and for particular entries at once.",
        remedy: "Make two requests, one with `unassigned=true` and one with `number` or `position` or both.",
    }
    EmptyNoteContent "EMPTY_NOTE_CONTENT" 400 {
        message: "`content` is empty; a note or comment needs some text.",
        meaning: "Notes and comments without text are not stored.",
        cause: "`content` is missing or consists of white space.",
        remedy: "Send the text in `content`; to get rid of a note, use DELETE.",
    }
    NoteContentTooLong "NOTE_CONTENT_TOO_LONG" 400 {
        message: "`content` is longer than 4,000 characters.",
        meaning: "The note or comment exceeds its size limit and was not stored.",
        cause: "A long text, such as a transcript or a thread of mails, was pasted into it.",
        remedy: "Shorten the text, or spread it over several notes.",
    }
    TooManyMentions "TOO_MANY_MENTIONS" 400 {
        message: "A note or comment may mention 15 colleagues at most.",
        meaning: "The text was not stored, and nobody was notified.",
        cause: "`content` has more than 15 mentions of the form @[Name](usr-…).",
        remedy: "Mention fewer people, or the whole team once with @[all](all).",
    }
    NoteLimitReached "NOTE_LIMIT_REACHED" 400 {
        message: "There are as many notes or comments here as there may be.",
        meaning: "A conversation and a person hold 10,000 notes each at most, and a thread 500 comments; nothing was stored.",
        cause: "Usually a script that writes a note for each thing it does.",
        remedy: "Delete notes that nobody needs, or change one instead of adding another.",
    }
    CallFlowInvalid "CALL_FLOW_INVALID" 400 {
        message: "The call flow cannot be published as it is; `errors` names each fault.",
        meaning: "A flow that could lead a caller into a dead end is never put on a line, and the published one stays in force.",
        cause: "A branch without a target, a node that nothing leads to, a number or colleague that does not exist, or an endless loop.",
        remedy: "Mend what `errors` lists in the draft by PUT /v2/api/numbers/{number}/call_flow/draft, then publish again.",
    }
    CallFlowRootMenuTooSmall "CALL_FLOW_ROOT_MENU_TOO_SMALL" 400 {
        message: "The first menu of the call flow needs at least two options.",
        meaning: "A menu with a single choice only delays the caller, so it is not published.",
        cause: "Options were removed from the menu that greets the caller.",
        remedy: "Add an option to the menu, or connect the incoming call directly to where its one option leads.",
    }
    CallFlowContactPropertyKeyRequired "CALL_FLOW_CONTACT_PROPERTY_KEY_REQUIRED" 400 {
        message: "A contact property node of the call flow does not say which property it looks at.",
        meaning: "The branch cannot be decided without the key of a property.",
        cause: "The node was added and never completed.",
        remedy: "Fill in the property's key in the node that `param` names, or remove the node.",
    }
    CallFlowSchemaVersionMismatch "CALL_FLOW_SCHEMA_VERSION_MISMATCH" 400 {
        message: "`schema_version` is not the call flow version of this server.",
        meaning: "The definition was written for another version of the call flow document and could be misread.",
        cause: "The client is older or newer than this server, or `schema_version` was left out.",
        remedy: "Read the flow with GET /v2/api/numbers/{number}/call_flow, apply the change to that document and send its `schema_version`.",
    }
    AgentNoForwardingNumber "AGENT_NO_FORWARDING_NUMBER" 400 {
        message: "The receptionist cannot step aside: no number is set to forward calls to.",
        meaning: "With status FORWARDING calls go to the team's business phone, and the team has none.",
        cause: "The team's settings hold no business phone number.",
        remedy: "Have an admin of the team set a business phone, or leave the status at ACTIVE.",
    }
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405 {
        message: "This path exists, but not for this HTTP method.",
        meaning: "The URL is right and the verb is not.",
        cause: "For example PATCH where the endpoint is replaced by PUT, or a redirect that turned POST into GET.",
        remedy: "Use one of the methods in the `Allow` header; `suggestion` repeats them.",
    }
    PayloadTooLarge "PAYLOAD_TOO_LARGE" 413 {
        message: "The body of this request is larger than this server accepts.",
        meaning: "Reading stopped at the size limit, and nothing was carried out.",
        cause: "Too many entries in one request, or a file sent to an endpoint that takes JSON.",
        remedy: "Spread the entries over several requests; a body may have 1 MiB.",
    }
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415 {
        message: "Bodies are read as application/json, and this one was declared as something else.",
        meaning: "The Content-Type header of the request is not JSON, so the body was not read.",
        cause: "The HTTP client sends form data or plain text unless told otherwise.",
        remedy: "Send the header `Content-Type: application/json` and a JSON body.",
    }

    // ---- authentication_error (401) ----

    Unauthorized "UNAUTHORIZED" 401 {
        message: "This request carries no credentials that this server can use.",
        meaning: "The Authorization header is missing, empty, or of a kind that is not accepted here.",
        cause: "The header was not set, a proxy dropped it, or an API key was sent as Bearer, which is for OAuth access tokens only.",
        remedy: "Send `Authorization: Api-Key ak_live_…`; admins and managers make keys with POST /v2/api/keys, the operator with `trunkline keys create`.",
    }
    ApiKeyInvalid "API_KEY_INVALID" 401 {
        message: "No API key of this server matches the one that was sent.",
        meaning: "The key is unknown here.",
        cause: "It was cut off or has a stray space, belongs to another server, or never existed.",
        remedy: "Compare it with what was shown when it was made; if it is lost, have a new one made with POST /v2/api/keys or `trunkline keys create`.",
    }
    ApiKeyRevoked "API_KEY_REVOKED" 401 {
        message: "This API key was revoked and opens nothing any more.",
        meaning: "The key existed, and somebody withdrew it for good.",
        cause: "It was replaced, it may have leaked, or its owner left the team.",
        remedy: "Have a new key made with POST /v2/api/keys or `trunkline keys create`, and replace the old one wherever it is stored.",
    }

    // ---- billing_error (402) ----

    PartnerSubscriptionNotBillable "PARTNER_SUBSCRIPTION_NOT_BILLABLE" 402 {
        message: "No further account can be billed to this partner.",
        meaning: "Partner accounts count as seats, and this partner has no plan to add a seat to.",
        cause: "The partner team is on trial, its plan has ended, or its seats are used up.",
        remedy: "Ask the operator of this server to give the partner team a plan with room for the account, then repeat the request.",
    }
    PartnerBillingFailed "PARTNER_BILLING_FAILED" 402 {
        message: "Adding a seat for this account failed, so the account was not made.",
        meaning: "The plan allows for the account, but the booking of its seat was turned down.",
        cause: "The billing side refused or did not confirm the charge.",
        remedy: "Have the operator of this server look into the partner's billing, then repeat the request.",
    }

    // ---- permission_error (403) ----

    Forbidden "FORBIDDEN" 403 {
        message: "The user behind this API key may not do this.",
        meaning: "The key has the scope, but the role of its owner in the team is not enough.",
        cause: "Some actions are for admins and managers, or for those who made or own the thing in question.",
        remedy: "Use a key of an admin or manager, or have an admin change the role; GET /v2/api/me shows whose key it is.",
    }
    ApiKeyInsufficientScope "API_KEY_INSUFFICIENT_SCOPE" 403 {
        message: "This API key was not given the scope that the endpoint asks for.",
        meaning: "The key is valid, and what it was made for does not include this request.",
        cause: "Scopes are fixed when a key is made, and the one named in the message was not among them.",
        remedy: "Compare with the scopes in GET /v2/api/me, and have a key with the missing one made with POST /v2/api/keys or `trunkline keys create`.",
    }
    ApiKeyTrialNotAllowed "API_KEY_TRIAL_NOT_ALLOWED" 403 {
        message: "The team of this key is on a trial plan, which does not include the API.",
        meaning: "The key is valid, but the API is closed to its team for now.",
        cause: "The operator of this server marks the team as being on trial.",
        remedy: "Ask the operator to move the team to a full plan; the key works from then on.",
    }
    A2pNotEnabled "A2P_NOT_ENABLED" 403 {
        message: "The sending number is not registered for texts from applications.",
        meaning: "Carriers in the US and Canada deliver texts from software only for registered (A2P, 10DLC) numbers.",
        cause: "The number's brand or campaign is not registered yet, or the registration is still being reviewed.",
        remedy: "Have the operator register the number with its carrier and mark it here, or send from another number of GET /v2/api/numbers.",
    }
    CarrierSignatureInvalid "CARRIER_SIGNATURE_INVALID" 403 {
        message: "The signature of this carrier callback is missing or wrong.",
        meaning: "Callbacks of a carrier are believed only with a valid signature, so this one was discarded.",
        cause: "The secret configured here differs from the carrier's, a proxy changed the URL or body, or the sender is not the carrier.",
        remedy: "Compare the secret and the public URL in this server's carrier settings with those at the carrier.",
    }
    SandboxOnly "SANDBOX_ONLY" 403 {
        message: "This endpoint works on sandbox teams only, and the key that was sent is of a live one.",
        meaning: "Simulated calls, texts and receipts must never mix with those of a live team.",
        cause: "A key that begins with `ak_live_` was used.",
        remedy: "Use an `ak_test_` key: one of a sandbox team, made with POST /v2/api/keys or `trunkline keys create`.",
    }
    DialingQueueAssignForbidden "DIALING_QUEUE_ASSIGN_FORBIDDEN" 403 {
        message: "Handing over a dialing queue takes a key of an admin or manager.",
        meaning: "Members may dial their queues, but not pass them to somebody else.",
        cause: "The owner of this key has the role of a member.",
        remedy: "Use the key of an admin or manager who made or owns the queue; GET /v2/api/users shows the roles.",
    }
    NotNoteAuthor "NOT_NOTE_AUTHOR" 403 {
        message: "A note can be changed or deleted only by the one who wrote it.",
        meaning: "The note is there and readable, but it is somebody else's.",
        cause: "This key belongs to another user than the note's author.",
        remedy: "Use a key of the author, or add a note of your own.",
    }
    NotCommentAuthor "NOT_COMMENT_AUTHOR" 403 {
        message: "A comment can be changed only by the one who wrote it.",
        meaning: "The comment is there and readable, but it is somebody else's.",
        cause: "This key belongs to another user than the comment's author.",
        remedy: "Use a key of the author, or answer with POST /v2/api/threads/{id}/comments.",
    }

    // ---- not_found_error (404) ----

    EndpointNotFound "ENDPOINT_NOT_FOUND" 404 {
        message: "There is nothing at this path.",
        meaning: "The URL is not one of this API.",
        cause: "A spelling mistake, a missing /v2/api in front, or a plus sign or slash in the path that was not encoded.",
        remedy: "Pick the path from GET /v2/api/me, which lists every endpoint that the key can call.",
    }
    ConversationNotFound "CONVERSATION_NOT_FOUND" 404 {
        message: "The team has no conversation with this number.",
        meaning: "Nobody on the team has called, texted or heard from the number on the line in question.",
        cause: "Another number is meant, or `allo_number` names a line on which the contact is unknown.",
        remedy: "Find the number in GET /v2/api/conversations, or leave `allo_number` out to cover all lines.",
    }
    ConversationItemNotFound "CONVERSATION_ITEM_NOT_FOUND" 404 {
        message: "The team has no call and no message with this id.",
        meaning: "The id is well formed, but nothing in the team's timeline goes by it.",
        cause: "It was mistyped, it belongs to another team, or the item was deleted.",
        remedy: "Look the item up with POST /v2/api/conversations/items/search and use its `id`.",
    }
    CallNotFound "CALL_NOT_FOUND" 404 {
        message: "The team has no call with this id.",
        meaning: "The id has the form of a call's, but no call of the team goes by it.",
        cause: "It was mistyped, it belongs to another team, or the call was deleted.",
        remedy: "Search with `type` CALL in POST /v2/api/conversations/items/search and use the `id` of the result.",
    }
    TextMessageNotFound "TEXT_MESSAGE_NOT_FOUND" 404 {
        message: "The team has no text message with this id.",
        meaning: "The id has the form of a message's, but no message of the team goes by it.",
        cause: "It was mistyped, it belongs to another team, or the message was deleted.",
        remedy: "Search with `type` SMS in POST /v2/api/conversations/items/search and use the `id` of the result.",
    }
    TagNotFound "TAG_NOT_FOUND" 404 {
        message: "There is no such tag here.",
        meaning: "The item does not carry the tag, or the team does not have it (and has turned off creating tags on the fly).",
        cause: "It was removed or deleted before, or the key is spelt differently.",
        remedy: "Compare with `tags` of the item and with GET /v2/api/tags; a tag that is gone already needs no further removal.",
    }
    SummaryTemplateNotFound "SUMMARY_TEMPLATE_NOT_FOUND" 404 {
        message: "No such summary template, or no summary of that kind on this call.",
        meaning: "The team has no active template with the id, or the call has no finished summary by the `template_key`.",
        cause: "The template was deleted, the id belongs to another team, or the summary is not written yet.",
        remedy: "List the templates with GET /v2/api/summary_templates, or read the call's summary before editing it.",
    }
    ContactNotFound "CONTACT_NOT_FOUND" 404 {
        message: "The team has no contact with this id.",
        meaning: "No record of the team's address book goes by the id.",
        cause: "It was mistyped, it belongs to another team, or the contact was deleted or merged.",
        remedy: "Find the contact with GET /v1/api/contacts or POST /v2/api/crm/people/search and use its `id`.",
    }
    PersonNotFound "PERSON_NOT_FOUND" 404 {
        message: "The team has no person with this id.",
        meaning: "No person in the team's CRM goes by the id.",
        cause: "It was mistyped, it belongs to another team, or the person was deleted or merged.",
        remedy: "Find the person with POST /v2/api/crm/people/search and use its `id`.",
    }
    PropertyNotFound "PROPERTY_NOT_FOUND" 404 {
        message: "The team has no custom property with this key.",
        meaning: "The key in the path belongs to none of the properties that the team has defined for its people.",
        cause: "A spelling mistake, a property that was deleted, or one that another team has defined.",
        remedy: "Take the key from GET /v2/api/crm/properties, or define it with POST /v2/api/crm/properties.",
    }
    ImportNotFound "IMPORT_NOT_FOUND" 404 {
        message: "The team has no import with this id.",
        meaning: "The id belongs to no import of people that this team has begun.",
        cause: "A spelling mistake, or the id of another team's import.",
        remedy: "Use the id that POST /v2/api/crm/people/import answered with.",
    }
    CompanyNotFound "COMPANY_NOT_FOUND" 404 {
        message: "The team has no company with this id.",
        meaning: "No company in the team's CRM goes by the id.",
        cause: "It was mistyped, it belongs to another team, or the company was deleted.",
        remedy: "Find the company with POST /v2/api/crm/companies/search and use its `id`.",
    }
    DealNotFound "DEAL_NOT_FOUND" 404 {
        message: "The team has no deal with this id.",
        meaning: "No deal in the team's CRM goes by the id.",
        cause: "It was mistyped, it belongs to another team, or the deal was deleted.",
        remedy: "Find the deal with POST /v2/api/crm/deals/search and use its `id`.",
    }
    MemberNotFound "MEMBER_NOT_FOUND" 404 {
        message: "Nobody on the team has this user id.",
        meaning: "The id names no current member of the key's team.",
        cause: "It was mistyped, the person left, or the id is of another team.",
        remedy: "Take the id from GET /v2/api/users.",
    }
    ApiKeyNotFound "API_KEY_NOT_FOUND" 404 {
        message: "The team has no API key with this id.",
        meaning: "The id in the path belongs to no key of the team, valid or revoked.",
        cause: "It was mistyped, it belongs to another team, or the key was revoked so long ago that it is forgotten.",
        remedy: "Take the id from GET /v2/api/keys; it begins with `api-` and is not the key itself.",
    }
    InvitationNotFound "INVITATION_NOT_FOUND" 404 {
        message: "There is no such invitation, or it is not open any more.",
        meaning: "The id or the token belongs to no invitation that could be accepted, sent again or withdrawn.",
        cause: "It was accepted, withdrawn or sent again since, it has expired, who invited may not invite any more, or it was mistyped.",
        remedy: "Ask an admin or a manager of the team for a new invitation; those that are open are in GET /v2/api/users/invitations.",
    }
    UserNotFound "USER_NOT_FOUND" 404 {
        message: "The user that this API key acts for no longer exists.",
        meaning: "A key acts in the name of the user who made it, and that user is gone.",
        cause: "The owner's account was removed while the key stayed in use.",
        remedy: "Have a key made for a current member of the team with POST /v2/api/keys or `trunkline keys create`.",
    }
    TeamNotFound "TEAM_NOT_FOUND" 404 {
        message: "The team that this API key belongs to no longer exists.",
        meaning: "The key is known, but there is no team left behind it.",
        cause: "The team's rows were taken out of the database by hand, while somebody worked with its key.",
        remedy: "Have a key made in an existing team: POST /v2/api/keys, or `trunkline keys create`.",
    }
    BusinessNotFound "BUSINESS_NOT_FOUND" 404 {
        message: "No business profile was set up for the team of this key.",
        meaning: "The request needs the details of the business that the team belongs to, and there are none.",
        cause: "The set-up of the team was never completed.",
        remedy: "Ask the operator of this server to complete the team's profile.",
    }
    AssigneeNotFound "ASSIGNEE_NOT_FOUND" 404 {
        message: "Nobody on the team matches this `user_id` or `email`.",
        meaning: "The colleague to act for was not found; people of other teams are treated like people who do not exist.",
        cause: "The id or address is wrong, or the person is not on the team.",
        remedy: "Take the id from GET /v2/api/users and send it as `user_id`.",
    }
    PhoneNumberNotFound "PHONE_NUMBER_NOT_FOUND" 404 {
        message: "This phone number is not one of the team's.",
        meaning: "The request is about a line of the team, and the team has no such line.",
        cause: "The number was mistyped, given back, or belongs to another team.",
        remedy: "Use a number from GET /v2/api/numbers, in E.164 form.",
    }
    FromNumberNotFound "FROM_NUMBER_NOT_FOUND" 404 {
        message: "The number to send or call from is not one of the team's.",
        meaning: "Texts and calls go out only from a line that the team owns.",
        cause: "`from` was mistyped, holds the recipient instead, or names a line of another team.",
        remedy: "Use a number from GET /v2/api/numbers as `from`.",
    }
    SenderIdNotFound "SENDER_ID_NOT_FOUND" 404 {
        message: "The team has no sender id of this name.",
        meaning: "Texts can be sent only under names that are registered for the team.",
        cause: "The name was mistyped or never registered.",
        remedy: "Compare with GET /v2/api/sender_ids, or register the name with POST /v2/api/sender_ids.",
    }
    WebhookNotFound "WEBHOOK_NOT_FOUND" 404 {
        message: "The team has no webhook endpoint with this id.",
        meaning: "Nothing can be read, changed or tested under the id.",
        cause: "It was mistyped, it belongs to another team, or the endpoint was deleted.",
        remedy: "Take the id from GET /v2/api/webhooks.",
    }
    WebhookMessageNotFound "WEBHOOK_MESSAGE_NOT_FOUND" 404 {
        message: "This endpoint has no webhook message with this id.",
        meaning: "Only a message that was addressed to the endpoint can be sent to it again.",
        cause: "The id is of another endpoint, was mistyped, or the message is older than the delivery history.",
        remedy: "Take the id from GET /v2/api/webhooks/{id}/deliveries; it is the `webhook-id` header of the delivery.",
    }
    DialingQueueNotFound "DIALING_QUEUE_NOT_FOUND" 404 {
        message: "There is no dialing queue to act on.",
        meaning: "The user has no current queue, or the queue is not one that this key may see.",
        cause: "No number was ever queued, or the queue belongs to somebody else.",
        remedy: "Make a queue with POST /v2/api/dialing-queues/current/numbers, or name its owner by `user_id`.",
    }
    QueueNumberPositionNotFound "QUEUE_NUMBER_POSITION_NOT_FOUND" 404 {
        message: "The dialing queue has no entry at this position.",
        meaning: "Nothing was removed, because the place that was named is empty.",
        cause: "The queue is shorter than assumed, positions were counted from 1 instead of 0, or another number is at that place.",
        remedy: "Read the positions with GET /v2/api/dialing-queues/current and send one of them.",
    }
    NoteNotFound "NOTE_NOT_FOUND" 404 {
        message: "The team has no note with this id.",
        meaning: "The note does not exist, or not on the conversation or person that the path names.",
        cause: "It was mistyped, it belongs to another team, or the note was deleted.",
        remedy: "List the notes with GET /v2/api/conversations/{contact_number}/notes or GET /v2/api/crm/people/{id}/notes.",
    }
    ThreadNotFound "THREAD_NOT_FOUND" 404 {
        message: "There is no such thread.",
        meaning: "No thread goes by the id, or nobody has begun one on the call, message or note.",
        cause: "The id was mistyped or is of another team, or the item was never discussed.",
        remedy: "Look it up with GET /v2/api/threads by `entity_type` and `entity_id`, or begin one with POST /v2/api/threads.",
    }
    ThreadCommentNotFound "THREAD_COMMENT_NOT_FOUND" 404 {
        message: "There is no comment with this id.",
        meaning: "Nothing was changed, because no comment of the team goes by the id.",
        cause: "It was mistyped, or the comment is in another thread or another team.",
        remedy: "Read the comments with GET /v2/api/threads/{id} and use the `id` of one.",
    }
    CallFlowDraftNotFound "CALL_FLOW_DRAFT_NOT_FOUND" 404 {
        message: "This number has no draft of a call flow.",
        meaning: "Nobody is working on the flow: it was never edited since it was last published.",
        cause: "Publishing used the draft up, or none was saved yet.",
        remedy: "Read the published flow with GET /v2/api/numbers/{number}/call_flow and save a draft with PUT /v2/api/numbers/{number}/call_flow/draft.",
    }
    PartnerAccountNotFound "PARTNER_ACCOUNT_NOT_FOUND" 404 {
        message: "This key has made no partner account with this id.",
        meaning: "A partner sees the accounts made with the same key, and no others.",
        cause: "The id was mistyped, or the account was made with a different key.",
        remedy: "Use the id that POST /v2/api/partner/accounts returned, together with the key that made the account.",
    }

    // ---- conflict_error (409) ----

    TagAlreadyExists "TAG_ALREADY_EXISTS" 409 {
        message: "This tag is there already.",
        meaning: "The item carries the tag, or the team has one with this key, and it was not added a second time.",
        cause: "The same request was sent twice, or a colleague was quicker.",
        remedy: "Treat it as done: what the request asked for is already true.",
    }
    LastAdmin "LAST_ADMIN" 409 {
        message: "This is the team's last active admin, who can neither be blocked nor be given another role.",
        meaning: "A team without an admin could not be managed any more, so nothing was changed.",
        cause: "Every other admin of the team is blocked or has another role by now, or there never was one.",
        remedy: "Make somebody else an admin with PATCH /v2/api/users/{id} first, then repeat the request.",
    }
    UserAlreadyExists "USER_ALREADY_EXISTS" 409 {
        message: "The team has a user with this e-mail address already.",
        meaning: "Nobody was invited: of one address there is one user in a team.",
        cause: "The person is on the team, perhaps blocked, or accepted an earlier invitation.",
        remedy: "Look for the address in GET /v2/api/users and GET /v2/api/users?status=BLOCKED, and unblock the user if need be.",
    }
    InvitationAlreadyExists "INVITATION_ALREADY_EXISTS" 409 {
        message: "This e-mail address is invited already, and the invitation is open.",
        meaning: "Nothing was sent: of one address there is one open invitation in a team.",
        cause: "A colleague was quicker, or the answer to an earlier request got lost.",
        remedy: "Find it in GET /v2/api/users/invitations and send it again with POST /v2/api/users/invitations/{id}/resend, or withdraw it first.",
    }
    SenderIdAlreadyExists "SENDER_ID_ALREADY_EXISTS" 409 {
        message: "The team has a sender id of this name already.",
        meaning: "Names are compared without regard to case, and a team has each of them once; nothing was changed.",
        cause: "The same request was sent twice, a colleague was quicker, or the name differs in upper and lower case only.",
        remedy: "Look at it with GET /v2/api/sender_ids and change that one, or choose another name.",
    }
    NumberAlreadyAssigned "NUMBER_ALREADY_ASSIGNED" 409 {
        message: "One of these phone numbers belongs to another person already.",
        meaning: "The person was not stored, so that a caller is not matched to two people by accident.",
        cause: "Somebody in the CRM has the number; it may be the same person under another name.",
        remedy: "Update the person found by POST /v2/api/crm/people/search, or send `allow_duplicate_number` as true.",
    }
    IdempotencyKeyReuse "IDEMPOTENCY_KEY_REUSE" 409 {
        message: "This Idempotency-Key was used before, for a different request.",
        meaning: "A key stands for one request with its method, path and body; this one stands for another.",
        cause: "The key is fixed in the client, was not renewed for a new action, or the body changed between attempts.",
        remedy: "Make a fresh key, such as a UUID, for each action, and repeat it only when repeating the identical request.",
    }
    OtherTransactionInProgress "OTHER_TRANSACTION_IN_PROGRESS" 409 retryable {
        message: "A request with this Idempotency-Key is still being worked on.",
        meaning: "The first attempt has not finished, so there is no answer to repeat yet.",
        cause: "The client gave up waiting and tried again before the first attempt was through.",
        remedy: "Wait a second and send the identical request again; it gets the answer of the first one.",
    }
    WebhookDisabled "WEBHOOK_DISABLED" 409 {
        message: "The webhook endpoint is disabled.",
        meaning: "Nothing is sent to a disabled endpoint, so nothing can be sent to it again.",
        cause: "Somebody disabled it, or everything sent to it failed for five days.",
        remedy: "Mend the receiver, enable the endpoint with PUT /v2/api/webhooks/{id}, and ask again.",
    }
    CallStateConflict "CALL_STATE_CONFLICT" 409 {
        message: "The call is in a state in which this cannot be done.",
        meaning: "For example an answer when nothing rings any more, or a transfer of a call that has ended.",
        cause: "The call went on while the request was under way, or another user or the caller was quicker.",
        remedy: "Read the call again with GET /v2/api/conversations/items/{id} and decide by its present state.",
    }
    DialingQueueAppendConflict "DIALING_QUEUE_APPEND_CONFLICT" 409 {
        message: "Somebody added numbers to this queue in the same moment, and these were not added.",
        meaning: "Two requests claimed the same places in the queue, and the other one got them.",
        cause: "Several clients fill the same queue at once.",
        remedy: "Send the numbers once more; better still, let one client fill a queue.",
    }
    DialingQueueSessionActive "DIALING_QUEUE_SESSION_ACTIVE" 409 {
        message: "The queue is being dialled at the moment and cannot change hands.",
        meaning: "A queue stays with its owner for as long as calls are made from it.",
        cause: "The owner has an open session in the power dialer.",
        remedy: "Have the owner end the session, then hand the queue over.",
    }
    ThreadAlreadyExists "THREAD_ALREADY_EXISTS" 409 {
        message: "There is a thread on this item already.",
        meaning: "A call, message or note has one thread at most, and it was begun before.",
        cause: "A colleague or an earlier request opened it.",
        remedy: "Find it with GET /v2/api/threads and write into it with POST /v2/api/threads/{id}/comments.",
    }
    CallFlowStaleLock "CALL_FLOW_STALE_LOCK" 409 {
        message: "The draft was saved by somebody else since you read it.",
        meaning: "Saving now would wipe out their changes, so nothing was stored.",
        cause: "`lock_version` is that of an older state of the draft.",
        remedy: "Read it with GET /v2/api/numbers/{number}/call_flow/draft, bring the changes together and save with the new `lock_version`.",
    }
    CallFlowConcurrentEdit "CALL_FLOW_CONCURRENT_EDIT" 409 {
        message: "Another version of the call flow was published since this draft was begun.",
        meaning: "Going on would undo what is now live on the line.",
        cause: "`base_published_version` is no longer the published one.",
        remedy: "Read the published flow with GET /v2/api/numbers/{number}/call_flow, redo the changes on top of it and save that as the draft.",
    }
    AgentLineNotAssigned "AGENT_LINE_NOT_ASSIGNED" 409 {
        message: "This line has no phone number, so its receptionist has no calls to take.",
        meaning: "The status of a receptionist can be set only on a line that calls arrive on.",
        cause: "The number was taken off the line or never put on it.",
        remedy: "Have the operator assign a number to the line, and check it in GET /v2/api/numbers.",
    }
    PartnerAccountAlreadyExists "PARTNER_ACCOUNT_ALREADY_EXISTS" 409 {
        message: "There is an account for this email already.",
        meaning: "No second account was made, and no seat was booked.",
        cause: "The account was made before, perhaps by an attempt whose answer got lost.",
        remedy: "Use the account's id in GET /v2/api/partner/accounts/{id}, or send an Idempotency-Key to make attempts repeatable.",
    }
    NoNumberAvailable "NO_NUMBER_AVAILABLE" 409 {
        message: "No free phone number fits the wishes in `number_preference`.",
        meaning: "The account was not made, because it could not be given a number.",
        cause: "The operator has no unassigned number in that country or with that prefix.",
        remedy: "Leave the prefix out or ask for another country, or have the operator add numbers to the pool.",
    }

    // ---- rate_limit_error (429), always retryable ----

    RateLimitExceeded "RATE_LIMIT_EXCEEDED" 429 retryable {
        message: "This API key sends more requests per second than it may.",
        meaning: "Reads and writes have a limit per key and second each, and this one was used up.",
        cause: "A loop without pauses, or several programs that share a key.",
        remedy: "Wait for `retry_after_seconds`, and pace requests by the X-RateLimit-Remaining and X-RateLimit-Reset headers.",
    }
    ApiKeyQuotaExceeded "API_KEY_QUOTA_EXCEEDED" 429 retryable {
        message: "This API key sends more requests than it may.",
        meaning: "What version 2 tells with RATE_LIMIT_EXCEEDED: the details of version 1 name the limit, for how long it counts and in how many seconds it starts anew.",
        cause: "Polling in short intervals, or several programs that share a key.",
        remedy: "Wait for as long as `Retry-After` says, and follow changes by webhooks instead of polling.",
    }
    TrialSmsLimitReached "TRIAL_SMS_LIMIT_REACHED" 429 retryable {
        message: "This trial team has sent as many texts today as a trial allows.",
        meaning: "Teams on trial have a daily limit, and this text was not sent.",
        cause: "The day's texts of all users of the team together reached it.",
        remedy: "Go on tomorrow, in the team's time zone, or ask the operator to move the team to a full plan.",
    }
    SmsLimitReached "SMS_LIMIT_REACHED" 429 retryable {
        message: "The team has sent as many texts through the API today as it may.",
        meaning: "Texts through the API have a daily limit per team, and this one was not sent.",
        cause: "A campaign or a loop used the day's allowance up.",
        remedy: "Spread the texts over several days, or ask the operator of this server to raise the limit.",
    }
    DailySmsLimitReached "DAILY_SMS_LIMIT_REACHED" 429 retryable {
        message: "The sending number has reached its limit of texts for today.",
        meaning: "Each number may send a certain amount a day, so that carriers do not block it.",
        cause: "Many texts went out from one and the same number.",
        remedy: "Send from another number of GET /v2/api/numbers, or go on tomorrow.",
    }

    // ---- server_error (500, 503) ----

    InternalServerError "INTERNAL_SERVER_ERROR" 500 retryable {
        message: "Something went wrong inside this server; the fault is not in the request.",
        meaning: "The request was not carried out, and the reason is in the server's log under its `request_id`.",
        cause: "A defect of the software, or a failing disk or database.",
        remedy: "Try again after a moment, a write with its Idempotency-Key; if it persists, give the operator the `request_id`.",
    }
    ServiceUnavailable "SERVICE_UNAVAILABLE" 503 retryable {
        message: "This server cannot take on the request just now; nothing was changed.",
        meaning: "More work is waiting than may wait, or the database accepts no writes at the moment.",
        cause: "A burst of writes, a restart, a backup, or a disk that is full.",
        remedy: "Try again after `retry_after_seconds` and double the pause each time; if it persists, tell the operator.",
    }
    RequestTimeout "REQUEST_TIMEOUT" 503 retryable {
        message: "The request took longer than this server allows and was given up.",
        meaning: "No answer was ready in time; a write may or may not have taken effect.",
        cause: "The server is overloaded, or the request covers very much data.",
        remedy: "Repeat it, a write with the same Idempotency-Key so that it happens only once, or ask for less at a time.",
    }
    SearchNotReady "SEARCH_NOT_READY" 503 retryable {
        message: "The text index is being rebuilt, and search answers again once that is done.",
        meaning: "Only searching is affected; calls, texts and everything read by id go on as usual.",
        cause: "The index was deleted, or a new version of the software needs a new one.",
        remedy: "Try again after `retry_after_seconds`; a search without the `search` field works in the meantime.",
    }
}

/// The family of an API, where it decides which HTTP status a code is sent with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Surface {
    /// `/v1/api`: things that are not found are a 400, as its published description has it.
    V1,
    /// `/v2/api`, apart from the CRM.
    V2,
    /// `/v2/api/crm`: faulty fields are a 422.
    Crm,
}

impl ErrorCode {
    /// The name on the wire, in `SCREAMING_SNAKE_CASE`; also the anchor on the error page.
    pub const fn as_str(self) -> &'static str {
        self.info().name
    }

    /// The HTTP status in general; [`ErrorCode::http_status_on`] knows the exceptions.
    pub const fn http_status(self) -> u16 {
        self.info().http_status
    }

    /// The HTTP status on one surface of the API (behaviour.md, section 2).
    pub const fn http_status_on(self, surface: Surface) -> u16 {
        match (surface, self.http_status()) {
            (Surface::V1, 404) if !matches!(self, ErrorCode::EndpointNotFound) => 400,
            // A 422 speaks of fields, and these four are not about one.
            (Surface::Crm, 400)
                if !matches!(
                    self,
                    ErrorCode::InvalidRequestBody
                        | ErrorCode::MissingHeader
                        | ErrorCode::InvalidHeader
                        | ErrorCode::InvalidItemId
                ) =>
            {
                422
            }
            (_, status) => status,
        }
    }

    /// Whether the identical request can succeed later without anybody changing anything.
    ///
    /// `DIALING_QUEUE_APPEND_CONFLICT` says `false` although its remedy is to try again: the published description does.
    pub const fn retryable(self) -> bool {
        self.info().retryable
    }

    /// The sentence that a response carries unless the handler has a more precise one.
    pub const fn message(self) -> &'static str {
        self.info().message
    }

    /// For the error page: what the code says about the request.
    pub const fn meaning(self) -> &'static str {
        self.info().meaning
    }

    /// For the error page: how one usually comes to see it.
    pub const fn cause(self) -> &'static str {
        self.info().cause
    }

    /// For the error page, and the default `suggestion` of a response: what to do about it.
    pub const fn remedy(self) -> &'static str {
        self.info().remedy
    }

    /// The `type` of the v2 error body; the same on every surface.
    pub const fn kind(self) -> ErrorType {
        ErrorType::from_status(self.http_status())
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A string that is not the wire name of an [`ErrorCode`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an error code of this API")]
pub struct UnknownErrorCode;

/// The `type` of a v2 error: the coarse family by which a client can decide without knowing the code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorType {
    /// `validation_error`: the request has to be changed (400, 405, 413, 415, 422).
    Validation,
    /// `authentication_error`: the credentials are missing or not accepted (401).
    Authentication,
    /// `billing_error`: it fails for want of a plan or a payment (402).
    Billing,
    /// `permission_error`: the credentials are good, but not for this (403).
    Permission,
    /// `not_found_error`: there is no such thing, or not in this team (404).
    NotFound,
    /// `conflict_error`: it contradicts what is already so (409).
    Conflict,
    /// `rate_limit_error`: too much in too little time, always retryable (429).
    RateLimit,
    /// `server_error`: the fault is on this side (500, 503).
    Server,
}

impl ErrorType {
    /// Every type, in the order of the error page.
    pub const fn all() -> &'static [ErrorType] {
        &[
            ErrorType::Validation,
            ErrorType::Authentication,
            ErrorType::Billing,
            ErrorType::Permission,
            ErrorType::NotFound,
            ErrorType::Conflict,
            ErrorType::RateLimit,
            ErrorType::Server,
        ]
    }

    /// The type that goes with an HTTP status. A 4xx without a type of its own is a fault of the request.
    pub const fn from_status(status: u16) -> ErrorType {
        match status {
            401 => ErrorType::Authentication,
            402 => ErrorType::Billing,
            403 => ErrorType::Permission,
            404 => ErrorType::NotFound,
            409 => ErrorType::Conflict,
            429 => ErrorType::RateLimit,
            400..=499 => ErrorType::Validation,
            _ => ErrorType::Server,
        }
    }

    /// The name on the wire, for example `validation_error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorType::Validation => "validation_error",
            ErrorType::Authentication => "authentication_error",
            ErrorType::Billing => "billing_error",
            ErrorType::Permission => "permission_error",
            ErrorType::NotFound => "not_found_error",
            ErrorType::Conflict => "conflict_error",
            ErrorType::RateLimit => "rate_limit_error",
            ErrorType::Server => "server_error",
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ErrorType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_follow_the_variants() {
        let names: HashSet<_> = ErrorCode::all().iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::all().len());

        for code in ErrorCode::all() {
            let mut screaming = String::new();
            for letter in format!("{code:?}").chars() {
                if letter.is_ascii_uppercase() && !screaming.is_empty() {
                    screaming.push('_');
                }
                screaming.push(letter.to_ascii_uppercase());
            }
            assert_eq!(code.as_str(), screaming);
        }
    }

    #[test]
    fn a_code_survives_the_round_trip() {
        for &code in ErrorCode::all() {
            assert_eq!(code.as_str().parse(), Ok(code));
            assert_eq!(code.to_string(), code.as_str());
            let json = serde_json::to_value(code).expect("a code is a JSON string");
            assert_eq!(json, code.as_str());
        }
        assert_eq!("api_key_invalid".parse::<ErrorCode>(), Err(UnknownErrorCode));
        assert_eq!("".parse::<ErrorCode>(), Err(UnknownErrorCode));
    }

    #[test]
    fn the_type_follows_from_the_status() {
        for code in ErrorCode::all() {
            let expected = match code.http_status() {
                400 | 405 | 413 | 415 | 422 => "validation_error",
                401 => "authentication_error",
                402 => "billing_error",
                403 => "permission_error",
                404 => "not_found_error",
                409 => "conflict_error",
                429 => "rate_limit_error",
                500 | 503 => "server_error",
                status => panic!("{code} has the status {status}, which the API does not use"),
            };
            assert_eq!(code.kind().as_str(), expected, "{code}");
            assert_eq!(code.kind().to_string(), expected);
        }
    }

    #[test]
    fn codes_are_grouped_by_type_in_the_order_of_the_types() {
        let mut groups: Vec<_> = ErrorCode::all().iter().map(|code| code.kind()).collect();
        groups.dedup();
        assert_eq!(groups, ErrorType::all());
    }

    #[test]
    fn statuses_that_clients_rely_on() {
        for (code, status) in [
            (ErrorCode::InvalidRequestBody, 400),
            (ErrorCode::InvalidParameter, 400),
            (ErrorCode::InvalidCursor, 400),
            (ErrorCode::MethodNotAllowed, 405),
            (ErrorCode::PayloadTooLarge, 413),
            (ErrorCode::UnsupportedMediaType, 415),
            (ErrorCode::Unauthorized, 401),
            (ErrorCode::PartnerBillingFailed, 402),
            (ErrorCode::A2pNotEnabled, 403),
            (ErrorCode::CarrierSignatureInvalid, 403),
            (ErrorCode::SandboxOnly, 403),
            (ErrorCode::NotNoteAuthor, 403),
            (ErrorCode::FromNumberNotFound, 404),
            (ErrorCode::CallStateConflict, 409),
            (ErrorCode::NoNumberAvailable, 409),
            (ErrorCode::ApiKeyQuotaExceeded, 429),
            (ErrorCode::InternalServerError, 500),
            (ErrorCode::ServiceUnavailable, 503),
            (ErrorCode::RequestTimeout, 503),
            (ErrorCode::SearchNotReady, 503),
        ] {
            assert_eq!(code.http_status(), status, "{code}");
        }
    }

    #[test]
    fn version_1_and_the_crm_have_statuses_of_their_own() {
        use Surface::{Crm, V1, V2};

        assert_eq!(ErrorCode::ContactNotFound.http_status_on(V1), 400);
        assert_eq!(ErrorCode::FromNumberNotFound.http_status_on(V1), 400);
        assert_eq!(ErrorCode::EndpointNotFound.http_status_on(V1), 404);
        assert_eq!(ErrorCode::ApiKeyInvalid.http_status_on(V1), 401);

        assert_eq!(ErrorCode::InvalidPhoneFormat.http_status_on(Crm), 422);
        assert_eq!(ErrorCode::MissingParameter.http_status_on(Crm), 422);
        assert_eq!(ErrorCode::InvalidRequestBody.http_status_on(Crm), 400);
        assert_eq!(ErrorCode::PersonNotFound.http_status_on(Crm), 404);
        assert_eq!(ErrorCode::NumberAlreadyAssigned.http_status_on(Crm), 409);

        for code in ErrorCode::all() {
            assert_eq!(code.http_status_on(V2), code.http_status());
            assert_eq!(ErrorType::from_status(code.http_status_on(Crm)), code.kind());
        }
    }

    #[test]
    fn a_retry_is_promised_only_where_it_can_help() {
        for code in ErrorCode::all() {
            let expected = match code.kind() {
                ErrorType::RateLimit | ErrorType::Server => true,
                ErrorType::Conflict => *code == ErrorCode::OtherTransactionInProgress,
                _ => false,
            };
            assert_eq!(code.retryable(), expected, "{code}");
        }
    }

    #[test]
    fn every_sentence_is_one_that_can_be_shown() {
        for code in ErrorCode::all() {
            assert!(
                code.message().chars().count() <= 200,
                "the message of {code} is too long"
            );
            for text in [code.message(), code.meaning(), code.cause(), code.remedy()] {
                assert!(
                    text.ends_with('.'),
                    "{code}: `{text}` does not end with a full stop"
                );
                assert!(text.len() >= 20, "{code}: `{text}` says too little");
                assert!(!text.contains("  "), "{code}: `{text}` has a double space");
                assert!(
                    !text.to_lowercase().contains("dashboard"),
                    "{code}: there is no vendor to turn to"
                );
            }
        }
    }
}

//! What conversations are about, and the tags the demo team has defined.

/// What a conversation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// An invoice that is higher than expected.
    BillingQuestion,
    /// A month that was charged twice.
    DuplicateCharge,
    /// Money back for returned devices.
    Refund,
    /// An invoice that is overdue.
    PaymentReminder,
    /// Prices and a change to a larger plan.
    Upgrade,
    /// An appointment for a product demonstration.
    Demo,
    /// A cold call to a possible customer.
    Prospecting,
    /// A quote that was sent and not yet answered.
    Quote,
    /// A contract about to expire.
    Renewal,
    /// A customer who wants to leave.
    Cancellation,
    /// Help with the first steps.
    Onboarding,
    /// Numbers moved from another carrier.
    Porting,
    /// Telephony that does not work.
    Outage,
    /// A fault in the application.
    Bug,
    /// Devices that arrive late.
    Delivery,
    /// The connection to a CRM.
    Integration,
    /// Hours in summer and over the holidays.
    OpeningHours,
    /// An offer of partnership.
    Partnership,
    /// An application for a job.
    JobApplication,
}

impl Topic {
    /// Every topic.
    pub const ALL: &[Self] = &[
        Self::BillingQuestion,
        Self::DuplicateCharge,
        Self::Refund,
        Self::PaymentReminder,
        Self::Upgrade,
        Self::Demo,
        Self::Prospecting,
        Self::Quote,
        Self::Renewal,
        Self::Cancellation,
        Self::Onboarding,
        Self::Porting,
        Self::Outage,
        Self::Bug,
        Self::Delivery,
        Self::Integration,
        Self::OpeningHours,
        Self::Partnership,
        Self::JobApplication,
    ];

    /// Whether the contact uses the product already.
    pub fn is_with_customer(self) -> bool {
        !matches!(
            self,
            Self::Demo | Self::Prospecting | Self::Quote | Self::Partnership | Self::JobApplication
        )
    }
}

/// The tags of the demo team as (key, name, colour); each key that a [`super::CallText`] carries is among
/// them.
pub const TAGS: &[(&str, &str, &str)] = &[
    ("billing", "Billing", "#2563EB"),
    ("bug", "Bug", "#B91C1C"),
    ("callback", "Callback", "#0891B2"),
    ("cancellation", "Cancellation", "#7F1D1D"),
    ("churn_risk", "Churn risk", "#DC2626"),
    ("delivery", "Delivery", "#A16207"),
    ("demo_scheduled", "Demo scheduled", "#16A34A"),
    ("escalated", "Escalated", "#EA580C"),
    ("follow_up", "Follow-up", "#D97706"),
    ("general", "General", "#6B7280"),
    ("integration", "Integration", "#7C3AED"),
    ("job_application", "Job application", "#64748B"),
    ("meeting_booked", "Meeting booked", "#15803D"),
    ("not_interested", "Not interested", "#9CA3AF"),
    ("onboarding", "Onboarding", "#0D9488"),
    ("outage", "Outage", "#991B1B"),
    ("partnership", "Partnership", "#9333EA"),
    ("payment", "Payment", "#1D4ED8"),
    ("porting", "Porting", "#0E7490"),
    ("pricing", "Pricing", "#4F46E5"),
    ("prospect", "Prospect", "#65A30D"),
    ("qualified", "Qualified", "#00AA00"),
    ("quote", "Quote", "#4338CA"),
    ("refund", "Refund", "#DB2777"),
    ("renewal", "Renewal", "#059669"),
    ("resolved", "Resolved", "#22C55E"),
    ("retained", "Retained", "#047857"),
    ("support", "Support", "#0284C7"),
    ("upgrade", "Upgrade", "#84CC16"),
    ("urgent", "Urgent", "#EF4444"),
    ("voicemail", "Voicemail", "#475569"),
    ("won", "Won", "#166534"),
];

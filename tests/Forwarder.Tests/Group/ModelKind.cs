namespace KeyEvt.Forwarder.Tests.Group;

internal enum ModelKind
{
    Event,
    Mark,
    Who,
    State,
    Claim,
    FreshClaim,
    Resign,
}

namespace KeyEvt.Forwarder.Outbox;

/// <summary>Where does an event wait, as the ledger counts it?</summary>
internal enum WaitingPlace
{
    Memory,
    Fallback,
}

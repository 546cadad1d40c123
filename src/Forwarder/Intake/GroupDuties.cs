using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Intake;

/// <summary>How does delivery learn that this program has become the holder of a group, or no longer is?</summary>
internal sealed class GroupDuties(DeliveryLoop delivery) : IHolderDuties
{
    public bool IsBrokerThere => delivery.IsBrokerThere;

    public (long Timestamp, long Term)? Fenced => delivery.Fenced is { } refusal ? (refusal.Timestamp, refusal.Term) : null;

    public void Hold(long term) => delivery.Hold(term);

    public void HandOver() => delivery.HandOver();
}

using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>What does something of the model mean to the program? The index of a message is its number; an event is a place of its own.</summary>
internal static class ModelTranslation
{
    public static GroupMessage Of(int at, ModelMessage message) => message.Kind switch
    {
        ModelKind.Mark => new GroupMessage.Mark(
            message.Member, at, ReachOf(message.Reach), IsBrokerThere: true, message.Claim is { } claim ? new GroupMessage.HolderMark(IdOf(claim), PlaceOf(message.Watermark)) : null),
        ModelKind.Who => new GroupMessage.Who(message.Member, at),
        ModelKind.State => new GroupMessage.StateOf(message.Member, at, new MessageId(message.To!, message.Re), Of(message.Re, message.State!)),
        ModelKind.Claim => new GroupMessage.Claim(message.Member, at, IdOf(message.Claim!.Value), ReachOf(message.Reach)),
        ModelKind.FreshClaim => new GroupMessage.FreshClaim(message.Member, at, message.Re, PlaceOf(message.Watermark), ConfigVersion: 0),
        ModelKind.Resign => new GroupMessage.Resign(message.Member, at, IdOf(message.Claim!.Value), PlaceOf(message.Watermark)),
        _ => throw new ArgumentOutOfRangeException(nameof(message), message.Kind, "an event is no message of the group"),
    };

    /// <summary>Whether both know the same. Marks and questions are compared where something was said that a later judgement hangs on.</summary>
    public static bool AreEqual(ModelFold model, GroupState state, bool inFull) =>
        IdOf(model.Claim!.Value) == state.Claim && model.Holder == state.Holder && PlaceOf(model.Watermark) == state.Watermark
        && (!inFull || (state.Snapshot() is var seen && model.Marks.Select(Of).SequenceEqual(seen.Marks) && model.Who.Select(IdOf).Order().SequenceEqual(seen.Pending)));

    private static GroupSnapshot Of(int at, ModelState state) =>
        new(at, IdOf(state.Claim!.Value), state.Holder, PlaceOf(state.Watermark), [.. state.Marks.Select(Of)], [.. state.Who.Select(IdOf)], 0, default);

    private static SeatMark Of((string Member, int Reach) mark) => new(mark.Member, ReachOf(mark.Reach));

    private static MessageId IdOf((string Member, int At) claim) => new(claim.Member, claim.At);

    /// <summary>The model names the first event that is in the ring, the program the place before it.</summary>
    private static StreamPlace ReachOf(int first) => PlaceOf(first - 1);

    private static StreamPlace PlaceOf(int at) => new(at, 0);
}

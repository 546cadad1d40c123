using System.Buffers;
using System.Text;
using System.Text.Json;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Intake;

/// <summary>
/// How do consumers learn of a gap? As a message of its own (<c>--gap-events</c>), routing key <c>&lt;routing_key&gt;.gap</c>, body JSON:
/// <c>{"gap","node","cause","detail","from","to","duration_ms","last_position","first_position"}</c>. It waits behind the events that came before it, and is stored and confirmed
/// as they are. The ledger counts it as an event received.
/// </summary>
/// <remarks>
/// Each gap is published by one member: the holder of the node's stream. While it is not known who that is, the gap waits here. If another member is, it waits too, for a moment:
/// that member may end before it has noticed what this one has, and this one may be the next holder. A gap in which nobody ran is known only to who declares it. Thread safe.
/// </remarks>
/// <param name="isHolder">Whether this program delivers the events of a node; null: that is not known yet.</param>
/// <param name="doubts">While a gap waits here, nothing is kept for the next start: that would hide the gap. Null: nothing is ever kept.</param>
internal sealed class GapPublisher(Ledger ledger, DeliveryLoop delivery, string instance, Func<string, bool?> isHolder, CheckpointRegistry? doubts, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a gap waits that another member is to publish: longer than between two looks at the flags.</summary>
    private static readonly TimeSpan OthersTime = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Queue<Waiting> _waiting = new();
    private ITimer? _timer;

    /// <param name="LeftAt">Since this timestamp it has been another member's to publish; null: it is not known whose.</param>
    private readonly record struct Waiting(Gap Gap, long? LeftAt);

    public void Publish(Gap gap)
    {
        if (delivery.State == DeliveryState.Stopped) return;

        Decide(new Waiting(gap, null));
    }

    /// <summary>The program ends: publishes what waits because nobody is known to be the holder. Perhaps another member does so too.</summary>
    public void Flush()
    {
        while (TakeWaiting() is { } waiting)
        {
            if (waiting.LeftAt is not null) continue;

            Send(waiting.Gap);
            doubts?.EndDoubt();
        }
    }

    private void Decide(Waiting waiting)
    {
        var (gap, leftAt) = waiting;
        switch (gap.Cause == GapCause.NotRunning ? true : isHolder(gap.Node))
        {
            case true:
                Send(gap);
                break;
            case null:
                Wait(waiting with { LeftAt = null });
                break;
            case false when leftAt is not { } since || time.GetElapsedTime(since) < OthersTime:
                Wait(new Waiting(gap, leftAt ?? time.GetTimestamp()));
                break;
        }
    }

    private void Wait(Waiting waiting)
    {
        if (waiting.LeftAt is null) doubts?.BeginDoubt();
        lock (_gate)
        {
            _waiting.Enqueue(waiting);
            _timer ??= time.CreateTimer(static self => ((GapPublisher)self!).Look(), this, LookEvery, LookEvery);
        }
    }

    private void Look()
    {
        for (var left = Count; left > 0 && TakeWaiting() is { } waiting; left--)
        {
            if (delivery.State != DeliveryState.Stopped) Decide(waiting);
            if (waiting.LeftAt is null) doubts?.EndDoubt();
        }

        lock (_gate)
        {
            if (_waiting.Count > 0) return;

            _timer?.Dispose();
            _timer = null;
        }
    }

    private int Count
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    private Waiting? TakeWaiting()
    {
        lock (_gate) return _waiting.TryDequeue(out var waiting) ? waiting : null;
    }

    private void Send(Gap gap)
    {
        var id = GapMessageId.Of(instance, gap);
        var stored = new ArrayBufferWriter<byte>(512);
        stored.Write([StoredForm.IdMark]);
        Encoding.UTF8.GetBytes(id + "\n", stored);
        Write(gap, stored);
        ledger.Accepted();
        delivery.Memory.Append(stored.WrittenSpan, Encoding.UTF8.GetByteCount(id), gap.From.ToUnixTimeMilliseconds());
        delivery.Wake();
    }

    private static void Write(Gap gap, IBufferWriter<byte> to)
    {
        using var json = new Utf8JsonWriter(to);
        json.WriteStartObject();
        json.WriteNumber("gap", gap.Id);
        json.WriteString("node", gap.Node);
        json.WriteString("cause", JsonNamingPolicy.SnakeCaseLower.ConvertName(gap.Cause.ToString()));
        json.WriteString("detail", gap.Detail);
        json.WriteString("from", gap.From.UtcDateTime);
        if (gap.To is { } end) json.WriteString("to", end.UtcDateTime);

        if (gap.Duration is { } duration) json.WriteNumber("duration_ms", (long)duration.TotalMilliseconds);

        json.WriteString("last_position", gap.LastPosition.ToString());
        json.WriteString("first_position", gap.FirstPosition?.ToString());
        json.WriteEndObject();
    }
}

using System.Buffers;
using System.Text;
using System.Text.Json;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Intake;

/// <summary>
/// How do consumers learn of a gap? As a message of its own (<c>--gap-events</c>), routing key <c>&lt;routing_key&gt;.gap</c>, body JSON:
/// <c>{"gap","node","cause","detail","from","to","duration_ms","last_position","first_position"}</c>. It waits behind the events that came before it, and is stored and confirmed
/// as they are. The ledger counts it as an event received.
/// </summary>
/// <param name="isHolder">Whether this program delivers the events of a node. In a group, each gap is published by one member.</param>
internal sealed class GapPublisher(Ledger ledger, DeliveryLoop delivery, string instance, Func<string, bool> isHolder)
{
    public void Publish(Gap gap)
    {
        if (delivery.State == DeliveryState.Stopped || !isHolder(gap.Node)) return;

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

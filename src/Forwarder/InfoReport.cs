using System.Globalization;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Metrics;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder;

/// <summary>What does the engine report about itself? Sections upstream, group, amqp, fallback, ledger and gaps, without passwords and keys.</summary>
internal sealed class InfoReport(CurrentConfig config, UpstreamReport upstream, GroupReport group, DeliveryLoop delivery, LocalSpool? spool, Ledger ledger, GapLog gaps, BackgroundTasks background, TimeProvider time)
{
    private const int GapsShown = 64;

    public IReadOnlyList<InfoSection> Make() => [upstream.Make(), group.Make(), Amqp(), Fallback(), LedgerSection(), Gaps()];

    private InfoSection Amqp()
    {
        var now = config.Value;
        var links = delivery.Links;
        return Section(
            "amqp",
            ("state", LinkState()),
            ("delivery", LabelText.Of(delivery.State)),
            ("broker", now.Amqp.ToString()),
            ("exchange", now.Exchange),
            ("routing_key", now.RoutingKey),
            ("routing_keys_cut", Number(delivery.RoutingKeysCut)),
            ("format", now.Format.ToString().ToLowerInvariant()),
            ("epoch", Number(links.ConnectionNumber)),
            ("connects", Number(links.Reconnects)),
            ("unconfirmed", Number(delivery.UnconfirmedCount)),
            ("refused", Number(delivery.Refused)),
            ("returned", Number(delivery.Returned)),
            ("route_error", delivery.RouteFault ?? ""),
            ("state_changes", Number(delivery.StateChanges)),
            ("blocked_reason", links.BlockedReason ?? ""),
            ("last_error", links.LastFailure?.Message ?? ""),
            ("background_tasks", Number(background.Count)));
    }

    private string LinkState()
    {
        var links = delivery.Links;
        return delivery.State == DeliveryState.Stopped ? "stopped"
            : links.Link is not null ? (links.BlockedReason is null ? "connected" : "blocked")
            : links.IsConnecting ? "connecting"
            : links.LastFailure is not null ? "backoff"
            : "idle";
    }

    private InfoSection Fallback()
    {
        var stores = delivery.Stores;
        var lists = stores.Queues;
        return Section(
            "fallback",
            [
            ("key", FallbackKey.Name),
            ("size_limit", Number(config.Value.FallbackStorageSize)),
            ("entries", Number(stores.Length)),
            ("draining", Number(stores.ReadAheadCount)),
            ("known", stores.IsKnown ? "yes" : "no"),
            ("refusals", Number(stores.Refusals)),
            ("last_error", stores.LastRefusal ?? ""),
            ("spool", spool?.Folder ?? ""),
            ("spool_entries", Number(spool?.Status.Entries ?? 0)),
            ("spool_bytes", Number(spool?.Status.Bytes ?? 0)),
            ("spool_damaged_bytes", Number(spool?.DamagedBytes ?? 0)),
            ("memory_entries", Number(delivery.Memory.Count)),
            ("memory_bytes", Number(delivery.Memory.Bytes)),
            ("memory_limit", Number(delivery.Memory.MaxBytes)),
            ("lists", Number(lists.Count)),
            .. lists.Select((list, index) => ($"list_{Number(index)}", $"key={list.Name},entries={Number(list.Length)},draining={Number(list.ReadAheadCount)},node={list.Place},last_error={list.LastRefusal}")),
            ]);
    }

    private InfoSection LedgerSection()
    {
        var now = ledger.Snapshot();
        var fields = new List<(string, string)>
        {
            ("received", Number(now.Received)),
            ("adopted", Number(now.Adopted)),
            ("filtered", Number(now.Filtered)),
            ("confirmed", Number(now.Confirmed)),
            ("waiting_memory", Number(now.WaitingMemory)),
            ("waiting_fallback", Number(now.WaitingFallback)),
            ("handed_over", Number(now.HandedOver)),
        };
        foreach (var reason in Enum.GetValues<DropReason>())
        {
            fields.Add(("dropped_" + LabelText.Of(reason), Number(now.Dropped[(int)reason])));
        }

        fields.Add(("difference", Number(now.Difference)));
        return Section("ledger", [.. fields]);
    }

    private InfoSection Gaps()
    {
        var fields = new List<(string, string)> { ("gaps_total", Number(gaps.Total)), ("gaps_open", Number(gaps.Open)) };
        foreach (var gap in gaps.Recent.TakeLast(GapsShown))
        {
            var to = gap.To is { } end ? Iso(end) : "open";
            var first = gap.FirstPosition is { } position ? position.ToString() : "";
            fields.Add(($"gap_{gap.Id}", $"node={gap.Node},from={Iso(gap.From)},to={to},last={gap.LastPosition},first={first},cause={LabelText.Of(gap.Cause)},detail={gap.Detail}"));
        }

        fields.Add(("time", Iso(time.GetUtcNow())));
        return Section("gaps", [.. fields]);
    }

    private static InfoSection Section(string name, params (string Name, string Value)[] fields) =>
        new(name, [.. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}

using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Text;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Options;
using KeyEvt.Proxy.Text;

namespace KeyEvt.Proxy.Check;

/// <summary>
/// Would a run with these options work? The command <c>keyevt check</c>: tries everything and prints a table with remedies. It changes nothing,
/// except that it declares and binds the queue of --declare-queue.
/// </summary>
internal static class CheckCommand
{
    private const int WhatWidth = 22;

    /// <summary>Returns exit code 0 if nothing fails, else 1.</summary>
    public static async Task<int> RunAsync(ProxyOptions options, TimeProvider time, TextWriter output)
    {
        var certificates = new Certificates(options.Tls, time);
        var (upstream, initial) = (options.Forwarder.Upstream, options.Forwarder.Initial);
        var broker = BrokerCheck.RunAsync(initial, certificates.Amqp, options.Forwarder.PublishGaps, time);
        var fails = upstream.Shape == UpstreamShape.Standalone
            ? await PrintAsync($"upstream {upstream}", await UpstreamCheck.RunAsync(options, upstream.Seeds[0], certificates.Upstream, time), output)
            : await NodesAsync(options, certificates.Upstream, time, output);
        fails |= await PrintAsync($"broker {initial.Amqp}", await broker, output);
        fails |= await PrintAsync("forwarding", ForwardingRows(options), output);
        var exposed = options.Files.Select(file => file.Exposure()).OfType<string>().Select(exposure => new CheckRow(CheckOutcome.Warning, "rights", exposure)).ToList();
        if (exposed.Count > 0) await PrintAsync("files", exposed, output);
        await output.WriteLineAsync(fails ? "\nsomething does not work: see FAILS above" : "\neverything that is needed works");
        return fails ? 1 : 0;
    }

    /// <summary>Checks which nodes there are, and then each node. What fails on a replica is only a warning: clients are served without it.</summary>
    private static async Task<bool> NodesAsync(ProxyOptions options, TlsClient tls, TimeProvider time, TextWriter output)
    {
        var title = $"upstream {options.Forwarder.Upstream}";
        IReadOnlyList<TopologyNode> nodes;
        try
        {
            nodes = await TopologyProbe.FindAsync(options.Forwarder.Upstream, tls, time);
        }
        catch (IOException e)
        {
            return await PrintAsync(title, [new CheckRow(CheckOutcome.Fails, "topology", e.Message, "check --upstream and the logins; for Sentinel also the master's name and --sentinel-password-file")], output);
        }

        var fails = await PrintAsync(title, [.. nodes.Select(node => new CheckRow(
            node.IsFailing ? CheckOutcome.Warning : CheckOutcome.Works, node.Role == NodeRole.Replica ? "replica" : "master",
            $"{node.Address}{(node.Slots.Count > 0 ? $", {node.Slots.Sum(range => range.Count)} slots" : "")}{(node.IsFailing ? ", failing by the word of those who watch it" : "")}"))], output);
        foreach (var node in nodes)
        {
            var rows = await UpstreamCheck.RunAsync(options, node.Address, tls, time);
            if (node.Role == NodeRole.Replica)
            {
                rows = [.. rows.Select(row => row.Outcome == CheckOutcome.Fails ? row with { Outcome = CheckOutcome.Warning } : row)];
            }

            fails |= await PrintAsync($"{(node.Role == NodeRole.Replica ? "replica" : "master")} {node.Address}", rows, output);
        }

        return fails;
    }

    internal static async Task<bool> PrintAsync(string title, IReadOnlyList<CheckRow> rows, TextWriter output)
    {
        await output.WriteLineAsync(title);
        foreach (var row in rows)
        {
            var outcome = row.Outcome switch { CheckOutcome.Works => "works", CheckOutcome.Note => "note", CheckOutcome.Warning => "WARNING", _ => "FAILS" };
            await output.WriteLineAsync($"  {outcome,-8} {row.What,-WhatWidth} {CleanText.Line(row.Finding)}");
            if (row.Remedy is not null) await output.WriteLineAsync($"  {"",-8} {"",-WhatWidth} -> {CleanText.Line(row.Remedy)}");
        }
        return rows.Any(row => row.Outcome == CheckOutcome.Fails);
    }

    private static IReadOnlyList<CheckRow> ForwardingRows(ProxyOptions options)
    {
        var forwarding = options.Forwarder.Initial;
        var chosen = forwarding.Masks.IsAll ? "ALL keys" : $"{forwarding.Masks.Masks.Count} key masks, {forwarding.Rules.Rules.Count} rules";
        var rows = new List<CheckRow>
        {
            forwarding.Masks.IsAll || forwarding.Masks.Masks.Count + forwarding.Rules.Rules.Count > 0
                ? new(CheckOutcome.Works, "what is forwarded", chosen)
                : new(CheckOutcome.Warning, "what is forwarded", "nothing: there is no key mask and no rule", "give --keymask ALL, masks or rules, or use key_evt_amqp.keymask_add later"),
        };
        if (options.Forwarder.Delivery.Spool is { } spool) rows.Add(CheckSpool(spool));
        if (options.Admin.Address is null) rows.Add(new CheckRow(CheckOutcome.Note, "admin", "off: no health, no metrics"));
        return rows;
    }

    private static CheckRow CheckSpool(string folder)
    {
        try
        {
            SpoolProbe.Try(folder);
            return new CheckRow(CheckOutcome.Works, "spool", $"{Printable.Quote(folder)} can be written");
        }
        catch (SpoolException e)
        {
            return new CheckRow(CheckOutcome.Fails, "spool", e.Message, "name another directory in --spool, or give this user the right to write there");
        }
    }
}

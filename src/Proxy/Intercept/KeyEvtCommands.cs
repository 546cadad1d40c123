using System.Globalization;
using System.Text;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Text;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Parameters;
using KeyEvt.Proxy.Text;
using KeyEvt.Resp.Requests;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Intercept;

/// <summary>
/// What do the key_evt_amqp commands do, and MODULE LOAD and UNLOAD of the module that they replace? One method for each command, which returns the complete
/// reply. Whether the client may call it has been decided before: see <see cref="Authorization"/>.
/// </summary>
internal sealed class KeyEvtCommands(IForwarderControl control, ILogger<KeyEvtCommands> logger) : ICommandHandler
{
    /// <summary>Gives what info says of the server itself. Set once, before the server accepts clients; read by any session.</summary>
    public Func<InfoSection>? ServerSection { get; set; }

    public async ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(RespRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (!CommandNames.HasPrefix(request[0].Span)) return await ModuleAsync(request).ConfigureAwait(false);

            var subcommand = request[0][CommandNames.Prefix.Length..];
            var entry = CommandTable.Find(subcommand.Span);
            if (entry is null) return Fail($"unknown subcommand {Printable.Quote(subcommand.Span)}. Try key_evt_amqp.help.");
            if (request.Count < entry.MinCount || request.Count > entry.MaxCount)
            {
                return Fail($"wrong number of arguments for 'key_evt_amqp.{entry.Name}' command");
            }

            return await entry.Run(this, request, cancellationToken).ConfigureAwait(false);
        }
        catch (GroupRefusedException e)
        {
            return Fail($"keyevt: {e.Message}");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            InterceptLog.CommandFault(logger, Printable.Quote(request[0].Span), e);
            return Fail("keyevt: internal error, see the proxy's log");
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>> ConfigSetAsync(RespRequest request) => Answer(await ApplyParametersAsync(request, 1).ConfigureAwait(false));

    /// <summary>Back to the options, whatever commands have changed since the start.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ConfigResetAsync()
    {
        await control.ResetAsync(isUnloading: false).ConfigureAwait(false);
        return Replies.Ok;
    }

    public async ValueTask<ReadOnlyMemory<byte>> ConnectAsync(RespRequest request, CancellationToken cancellationToken)
    {
        string? fault = null;
        var result = await control.ConnectAsync(config => request.Count == 1 ? config : Apply(Parameters(request, 1), config, out fault), cancellationToken).ConfigureAwait(false);
        return result is not { } outcome ? Fail(fault!)
            : outcome.Connected ? Replies.Simple("AMQP CONNECT OK")
            : Replies.Error(string.Create(CultureInfo.InvariantCulture, $"AMQP CONNECT ERROR: {outcome.Code} {outcome.Reason}"));
    }

    public async ValueTask<ReadOnlyMemory<byte>> DisconnectAsync() => await control.DisconnectAsync().ConfigureAwait(false)
        ? Replies.Simple("AMQP DISCONNECT OK")
        : Replies.Error("AMQP DISCONNECT ERROR: 1 not connected");

    public ValueTask<ReadOnlyMemory<byte>> FallbackStorageSizeSetAsync(RespRequest request)
    {
        var faults = new List<string>();
        var size = ConfigParameters.ReadInteger("fallback_storage_size", request[1].Span, long.MinValue, long.MaxValue, faults);
        return size is null ? Refuse(faults[0]) : ConfigureAsync(config => config with { FallbackStorageSize = size.Value });
    }

    public ValueTask<ReadOnlyMemory<byte>> KeymaskAddAsync(RespRequest request) => ChangeMasksAsync(request, (old, given) => given.IsAll ? given : old.Add(given.Masks));

    public ValueTask<ReadOnlyMemory<byte>> KeymaskSetAsync(RespRequest request) => ChangeMasksAsync(request, (_, given) => given);

    public ValueTask<ReadOnlyMemory<byte>> KeymaskCleanAsync() => ConfigureAsync(config => config with { Masks = KeyMaskSet.Empty });

    public ValueTask<ReadOnlyMemory<byte>> KeymaskGet()
    {
        var masks = control.Config.Masks;
        return ValueTask.FromResult(Replies.Array(masks.IsAll ? [Replies.Bulk("ALL"u8)] : [.. masks.Masks.Select(mask => Replies.Bulk(mask.Bytes.Span))]));
    }

    public ValueTask<ReadOnlyMemory<byte>> EventsSetAsync(RespRequest request) =>
        NotifyFlags.TryParse(Encoding.Latin1.GetString(request[1].Span), out var classes, out var error)
            ? ConfigureAsync(config => config with { Events = classes })
            : Refuse(error);

    public ValueTask<ReadOnlyMemory<byte>> EventsGet() => ValueTask.FromResult(Replies.Bulk(NotifyFlags.Format(control.Config.Events)));

    /// <summary>Adds all of the given rules, or none if one is wrong.</summary>
    public ValueTask<ReadOnlyMemory<byte>> RuleAddAsync(RespRequest request)
    {
        var rules = new List<EventRule>();
        for (var i = 1; i < request.Count; i++)
        {
            if (!EventRule.TryParse(Encoding.Latin1.GetString(request[i].Span), out var rule, out var error)) return Refuse(error);
            rules.Add(rule);
        }

        return ConfigureAsync(config => config with { Rules = config.Rules.Add(rules) });
    }

    public ValueTask<ReadOnlyMemory<byte>> RuleCleanAsync() => ConfigureAsync(config => config with { Rules = RuleSet.Empty });

    public ValueTask<ReadOnlyMemory<byte>> RuleGet() =>
        ValueTask.FromResult(Replies.Array([.. control.Config.Rules.Rules.Select(rule => Replies.Bulk(Encoding.Latin1.GetBytes(rule.ToString())))]));

    public ValueTask<ReadOnlyMemory<byte>> FormatSetAsync(RespRequest request)
    {
        var name = Encoding.Latin1.GetString(request[1].Span);
        if (!Enum.TryParse<MessageFormat>(name, ignoreCase: true, out var format) || char.IsAsciiDigit(name[0]))
        {
            return Refuse($"format {Printable.Quote(request[1].Span)} is not known; there are text, json and cloudevents");
        }

        var faults = new List<string>();
        var routingKey = request.Count > 2 ? ConfigParameters.ReadRoutingKey(request[2].Span, faults) : null;
        return faults.Count > 0
            ? Refuse(faults[0])
            : ConfigureAsync(config => config with { Format = format, RoutingKey = routingKey ?? config.RoutingKey });
    }

    /// <summary>As CONFIG GET: names and values alternate. For an unknown name the array is empty.</summary>
    public ValueTask<ReadOnlyMemory<byte>> ConfigGet(RespRequest request)
    {
        var elements = new List<ReadOnlyMemory<byte>>();
        foreach (var (name, value) in ConfigNames.Read(control.Config))
        {
            if (request.Count > 1 && !RequestKinds.ArgumentIs(request, 1, Encoding.ASCII.GetBytes(name))) continue;
            elements.Add(Replies.Bulk(name));
            elements.Add(Replies.Bulk(value.Span));
        }

        return ValueTask.FromResult(Replies.Array(elements));
    }

    /// <summary>As INFO: for an unknown section the bulk string is empty.</summary>
    public ValueTask<ReadOnlyMemory<byte>> Info(RespRequest request)
    {
        var wanted = request.Count > 1 ? Encoding.Latin1.GetString(request[1].Span) : "all";
        var text = new StringBuilder();
        foreach (var section in Sections())
        {
            if (!wanted.Equals("all", StringComparison.OrdinalIgnoreCase) && !wanted.Equals(section.Name, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            if (text.Length > 0) text.Append("\r\n");
            text.Append("# ").Append(section.Name).Append("\r\n");
            foreach (var (name, value) in section.Fields) text.Append(name).Append(':').Append(CleanText.Line(value)).Append("\r\n");
        }

        return ValueTask.FromResult(Replies.Bulk(text.ToString()));
    }

    public static ValueTask<ReadOnlyMemory<byte>> Help() =>
        ValueTask.FromResult(Replies.Array([.. CommandTable.All.Select(entry => Replies.Bulk($"key_evt_amqp.{entry.Name} {entry.Help}"))]));

    /// <summary><c>MODULE LOAD path [flags [parameters as config_set]]</c>, <c>MODULE UNLOAD key_evt_amqp</c>.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> ModuleAsync(RespRequest request)
    {
        if (RequestKinds.ArgumentIs(request, 1, "UNLOAD"u8))
        {
            await control.ResetAsync(isUnloading: true).ConfigureAwait(false);
            return Replies.Ok;
        }

        if (request.Count == 3) return Replies.Ok;
        return NotifyFlags.TryParse(Encoding.Latin1.GetString(request[3].Span), out var classes, out var error)
            ? Answer(await ApplyParametersAsync(request, 4, config => config with { Events = classes }).ConfigureAwait(false))
            : Fail(error);
    }

    /// <summary>Applies all parameters or none. Returns why it was none, or null.</summary>
    private async ValueTask<string?> ApplyParametersAsync(RespRequest request, int from, Func<ForwarderConfig, ForwarderConfig>? also = null)
    {
        var parameters = Parameters(request, from);
        string? fault = null;
        await control.ConfigureAsync(config => Apply(parameters, also?.Invoke(config) ?? config, out fault) ?? config).ConfigureAwait(false);
        return fault;
    }

    private static ReadOnlyMemory<byte>[] Parameters(RespRequest request, int from)
    {
        var parameters = new ReadOnlyMemory<byte>[request.Count - from];
        for (var i = 0; i < parameters.Length; i++) parameters[i] = request[from + i];
        return parameters;
    }

    /// <summary>Null: none of the parameters was applied, and <paramref name="fault"/> says why.</summary>
    private static ForwarderConfig? Apply(ReadOnlyMemory<byte>[] parameters, ForwarderConfig config, out string? fault)
    {
        fault = ConfigParameters.TryApply(parameters, config, out var next, out var error) ? null : error;
        return fault is null ? next : null;
    }

    private ValueTask<ReadOnlyMemory<byte>> ChangeMasksAsync(RespRequest request, Func<KeyMaskSet, KeyMaskSet, KeyMaskSet> change)
    {
        var values = new ReadOnlyMemory<byte>[request.Count - 1];
        for (var i = 0; i < values.Length; i++) values[i] = request[1 + i];
        var faults = new List<string>();
        var given = ConfigParameters.ReadMasks(values, faults);
        return given is null ? Refuse(faults[0]) : ConfigureAsync(config => config with { Masks = change(config.Masks, given) });
    }

    /// <summary>All sections, the server's own first. If the forwarder has a section of the same name, its fields are added to the server's.</summary>
    private IEnumerable<InfoSection> Sections()
    {
        var known = control.GetInfo();
        var server = ServerSection?.Invoke() ?? new InfoSection("server", []);
        var same = known.Where(section => section.Name == server.Name).SelectMany(section => section.Fields);
        return [server with { Fields = [.. server.Fields, .. same] }, .. known.Where(section => section.Name != server.Name)];
    }

    /// <summary>Changes the configuration, but not if the result would be faulty. Returns the reply.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change)
    {
        string? fault = null;
        await control.ConfigureAsync(config =>
        {
            var next = change(config);
            fault = ConfigFaults.Of(next);
            return fault is null ? next : config;
        }).ConfigureAwait(false);
        return Answer(fault);
    }

    private static ValueTask<ReadOnlyMemory<byte>> Refuse(string why) => ValueTask.FromResult(Fail(why));

    private static ReadOnlyMemory<byte> Answer(string? refused) => refused is null ? Replies.Ok : Fail(refused);

    private static ReadOnlyMemory<byte> Fail(string text) => Replies.Error("ERR " + text);
}

using System.Globalization;
using System.Text;
using System.Text.Unicode;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Amqp.Messages;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Files;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Proxy.Text;

namespace KeyEvt.Proxy.Parameters;

/// <summary>
/// What do the positional parameters of config_set, connect, MODULE LOAD and the load line say?
/// <code>[host [port [username [password [heartbeat [exchange [routing_key [delivery_mode [fallback_storage_size [keymask ...]]]]]]]]]]</code>
/// Any prefix of the list may be given. Parsing names every wrong value at once; applying is all or nothing.
/// </summary>
internal sealed record ConfigParameters
{
    private const int MaxShortString = 255; // AMQP 0-9-1, section 4.2.5.3: a short string has one length byte

    public string? Host { get; private init; }
    public int? Port { get; private init; }
    public string? User { get; private init; }
    public Secret? Password { get; private init; }
    public int? HeartbeatSeconds { get; private init; }
    public string? Exchange { get; private init; }
    public string? RoutingKey { get; private init; }
    public int? DeliveryMode { get; private init; }
    public long? FallbackStorageSize { get; private init; }

    /// <summary>Null when no mask was given; given masks replace the old ones.</summary>
    public KeyMaskSet? Masks { get; private init; }

    /// <summary>For a command: parses, then applies to <paramref name="current"/> under the rules of <see cref="TryApplyTo"/>.</summary>
    /// <param name="next">The new configuration; <paramref name="current"/> itself when false is returned.</param>
    /// <param name="error">One line without a code in front and without a secret; empty when true is returned.</param>
    public static bool TryApply(ReadOnlySpan<ReadOnlyMemory<byte>> args, ForwarderConfig current, out ForwarderConfig next, out string error)
    {
        next = current;
        var faults = new List<string>();
        var parameters = Parse(args, faults);
        error = string.Join("; ", faults);
        return faults.Count == 0 && parameters.TryApplyTo(current, out next, out error);
    }

    /// <summary>Reads the parameters; adds one line to <paramref name="faults"/> for each wrong one.</summary>
    public static ConfigParameters Parse(ReadOnlySpan<ReadOnlyMemory<byte>> args, List<string> faults)
    {
        var read = new ConfigParameters();
        for (var i = 0; i < Math.Min(args.Length, 9); i++)
        {
            var value = args[i].Span;
            read = i switch
            {
                0 => read with { Host = ReadHost(value, faults) },
                1 => read with { Port = (int?)ReadInteger("port", value, 1, 65535, faults) },
                2 => read with { User = ReadCredential("username", value, mayBeEmpty: false, faults) },
                3 => read with { Password = ReadCredential("password", value, mayBeEmpty: true, faults) },
                4 => read with { HeartbeatSeconds = (int?)ReadInteger("heartbeat", value, 0, 65535, faults) },
                5 => read with { Exchange = ReadShortString("exchange", value, faults) },
                6 => read with { RoutingKey = ReadRoutingKey(value, faults) },
                7 => read with { DeliveryMode = (int?)ReadInteger("delivery_mode", value, 1, 2, faults) },
                _ => read with { FallbackStorageSize = ReadInteger("fallback_storage_size", value, long.MinValue, long.MaxValue, faults) },
            };
        }
        return args.Length > 9 ? read with { Masks = ReadMasks(args[9..], faults) } : read;
    }

    /// <summary>
    /// For a command. A broker other than the one in force must be among <see cref="ForwarderConfig.AmqpHosts"/>. Without a password among the parameters it is that of
    /// <see cref="ForwarderConfig.PasswordFor"/>: none, for another host, port or user.
    /// </summary>
    public bool TryApplyTo(ForwarderConfig current, out ForwarderConfig next, out string error)
    {
        next = current;
        error = "";
        var login = LoginAfter(current.Amqp);
        var isElsewhere = login.Port != current.Amqp.Port || !AmqpSettings.IsSameHost(login.Host, current.Amqp.Host);
        if (isElsewhere && !current.AmqpHosts.Any(allowed => allowed.Allows(login.Host, login.Port, current.Configured?.Port)))
        {
            error = $"broker {Printable.Quote(new AllowedBroker(login.Host, login.Port).ToString())} is not allowed: name it in the option --amqp-hosts";
            return false;
        }
        var changed = ApplyTo(current, login with { Password = Password ?? current.PasswordFor(login) });
        if (ConfigFaults.Of(changed) is { } fault)
        {
            error = fault;
            return false;
        }
        next = changed;
        return true;
    }

    /// <summary>For the operator's own load line at start: any broker; what is not given stays as it is. As in a URI, whoever is not named is guest with guest's own password.</summary>
    public ForwarderConfig ApplyTo(ForwarderConfig current)
    {
        var login = LoginAfter(current.Amqp);
        var isGuest = User is null && login.User == AmqpSettings.Guest && !login.IsSameLogin(current.Amqp);
        return ApplyTo(current, login with { Password = Password ?? (isGuest ? AmqpSettings.Guest : current.PasswordFor(login)) });
    }

    /// <summary>All but the password.</summary>
    private AmqpSettings LoginAfter(AmqpSettings current) => current with
    {
        Host = Host ?? current.Host,
        Port = Port ?? current.Port,
        User = User ?? current.User,
        HeartbeatSeconds = HeartbeatSeconds ?? current.HeartbeatSeconds,
    };

    private ForwarderConfig ApplyTo(ForwarderConfig current, AmqpSettings amqp) => current with
    {
        Amqp = amqp,
        Exchange = Exchange ?? current.Exchange,
        RoutingKey = RoutingKey ?? current.RoutingKey,
        DeliveryMode = DeliveryMode ?? current.DeliveryMode,
        FallbackStorageSize = FallbackStorageSize ?? current.FallbackStorageSize,
        Masks = Masks ?? current.Masks,
    };

    /// <summary>Never a password in it: records print all their members otherwise.</summary>
    public override string ToString() => $"{Host}:{Port} {User} {Exchange} {RoutingKey}";

    internal static string? ReadHost(ReadOnlySpan<byte> value, List<string> faults)
    {
        // Names, IPv4, IPv6 with or without brackets; anything else could change the meaning of a URI or a log line.
        if (value.IsEmpty) return Fault("host must not be empty", faults);
        foreach (var b in value)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && !".-_:[]%"u8.Contains(b))
            {
                return Fault($"host must be a name or an IP address, not {Printable.Quote(value)}", faults);
            }
        }
        return value.Length <= 253 ? Encoding.ASCII.GetString(value).Trim('[', ']') : Fault("host must have at most 253 characters", faults);
    }

    internal static long? ReadInteger(string name, ReadOnlySpan<byte> value, long min, long max, List<string> faults)
    {
        // Checked by hand first: long.TryParse also takes a plus sign and trailing NULs.
        var digitsOnly = value.TrimStart((byte)'-').IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
        if (digitsOnly && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
        {
            return number;
        }

        var range = min == long.MinValue ? "a whole number (0 unlimited, negative off)" : $"{min} to {max}";
        Fault($"{name} must be {range}, not {Printable.Quote(value)}", faults);
        return null;
    }

    /// <summary>SASL PLAIN separates its parts by NUL (RFC 4616), so none may stand inside. The value is not shown.</summary>
    internal static string? ReadCredential(string name, ReadOnlySpan<byte> value, bool mayBeEmpty, List<string> faults)
    {
        if (value.IsEmpty && !mayBeEmpty) return Fault($"{name} must not be empty", faults);
        if (value.Contains((byte)0) || !Utf8.IsValid(value)) return Fault($"{name} must be UTF-8 text without a NUL", faults);
        return Encoding.UTF8.GetString(value);
    }

    internal static string? ReadShortString(string name, ReadOnlySpan<byte> value, List<string> faults)
    {
        if (value.Length > MaxShortString) return Fault($"{name} must have at most {MaxShortString} bytes, not {value.Length}", faults);
        return Utf8.IsValid(value) ? Encoding.UTF8.GetString(value) : Fault($"{name} must be UTF-8 text, not {Printable.Quote(value)}", faults);
    }

    /// <summary>A routing key may be a template.</summary>
    internal static string? ReadRoutingKey(ReadOnlySpan<byte> value, List<string> faults)
    {
        var text = ReadShortString("routing_key", value, faults);
        return text is not null && RoutingKeyTemplate.Fault(text) is { } fault ? Fault(fault, faults) : text;
    }

    /// <summary>Reads masks; also for keymask_add and keymask_set.</summary>
    internal static KeyMaskSet? ReadMasks(ReadOnlySpan<ReadOnlyMemory<byte>> values, List<string> faults)
    {
        var masks = new List<KeyMask>(values.Length);
        foreach (var value in values)
        {
            if (value.IsEmpty)
            {
                Fault("keymask must not be empty: ALL matches every key", faults);
                return null;
            }
            masks.Add(KeyMask.Parse(value.Span));
        }
        return KeyMaskSet.Empty.Add(masks);
    }

    private static string? Fault(string text, List<string> faults)
    {
        faults.Add(text);
        return null;
    }
}

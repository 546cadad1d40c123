using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>
/// Do all members of the group have the same configuration, and does Redis keep it? Takes in what the group says of it, and looks once a second whether
/// something is missing.
/// </summary>
/// <remarks>
/// <para>
/// Version in force and content are told in the stream (<see cref="GroupMessage.Config"/>). Who lacks the content reads it from Redis, or asks the holder, or all if there is none. The
/// holder writes it again if Redis has lost it, and says a version that it finds there and that nobody has said.
/// </para>
/// <para>A program that begins a group makes the first version from its options. Members that still know a version made by a command then bring that in.</para>
/// </remarks>
/// <param name="store">Null: nothing is kept in Redis.</param>
internal sealed class ConfigAgreement(
    ConfigInForce inForce, IConfigStore? store, IGroupVoice voice, ClassPreparation preparation, ConfigChange changes, HolderAnswers answers, ConfigOutlet outlet, TimeProvider time, ILogger logger) : IGroupConfig
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>If Redis cannot be asked for so long at the start, this program goes on with its options.</summary>
    private static readonly TimeSpan LoadDeadline = TimeSpan.FromSeconds(10);

    /// <summary>If nobody tells the version in force for so long, this program brings in its own.</summary>
    private static readonly TimeSpan NobodyKnowsAfter = TimeSpan.FromSeconds(5);

    private readonly AsyncSignal _due = new();
    private readonly LogRateLimiter _warnings = new(time, TimeSpan.FromSeconds(60));
    private volatile bool _isLoaded;
    private volatile bool _isFound;
    private volatile bool _isBeginning;
    private volatile bool _isEnding;

    // Used by the loop only.
    private readonly long _startedAt = time.GetTimestamp();
    private long _keptVersion; // what Redis keeps, as far as it was read
    private long? _behindSince;
    private bool _hasCompared;

    public bool IsLoaded => _isLoaded;

    public bool IsFound => _isFound;

    public long Version => inForce.Value.Version;

    public EventClass Classes => inForce.Classes;

    public EventClass FormerClasses => inForce.FormerClasses;

    /// <summary>What is kept in Redis is in force in this program, or it was found that nothing is.</summary>
    public async Task LoadAsync()
    {
        if (store is null)
        {
            _isLoaded = true;
            return;
        }

        try
        {
            var kept = await ReadAsync(store).ConfigureAwait(false);
            _keptVersion = kept.Version;
            if (kept.Shared is { } shared)
            {
                _isFound = shared.Version != OptionsFingerprint.FirstVersion(inForce.Fingerprint); // before it is in force
                inForce.PutFirst(shared);
            }

            _isLoaded = true;
        }
        catch (ConfigStoreException e)
        {
            Warn(e);
            _isLoaded = e.IsRefusal || time.GetElapsedTime(_startedAt) > LoadDeadline;
        }
    }

    public async Task RunAsync(CancellationToken stop)
    {
        await using var stopping = stop.Register(() =>
        {
            _isEnding = true;
            _due.Set();
        }).ConfigureAwait(false);
        await using var clock = time.CreateTimer(static signal => ((AsyncSignal)signal!).Set(), _due, LookEvery, LookEvery).ConfigureAwait(false);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                await LookAsync().ConfigureAwait(false);
                await _due.WaitAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            AgreementLog.LoopDied(logger, e);
            throw;
        }
    }

    public void Begin()
    {
        if (Version != 0 || _isBeginning) return;

        _isBeginning = true;
        _due.Set();
    }

    public void Take(GroupMessage.Config config)
    {
        if (inForce.Read(config.Text) is { } shared && shared.Version == config.Version) inForce.Put(shared);
        else if (_warnings.MayWarn(2504)) AgreementLog.Unreadable(logger, config.Version, Version);

        _due.Set();
    }

    public void Prepare(EventClass classes) => outlet.Prepare(classes);

    public void Asked(GroupMessage.Ask ask)
    {
        if (ask.What == GroupMessage.Wish.Connect) answers.Give(ask.Id);
        else Say(inForce.Value);
    }

    public void Answered(GroupMessage.Answer answer) => answers.Take(answer);

    public void Joined() => _due.Set();

    private async Task LookAsync()
    {
        outlet.Look();
        if (!_isLoaded) await LoadAsync().ConfigureAwait(false);
        if (!_isLoaded) return;

        try
        {
            if (_isBeginning) await MakeFirstAsync().ConfigureAwait(false);

            var streams = voice.Streams;
            if (streams.Count == 0)
            {
                if (voice.IsHeldBack && store is not null) await FollowAsync(store).ConfigureAwait(false);
                return;
            }

            var told = streams.Max(static stream => stream.ConfigVersion);
            if (told != Version) await CatchUpAsync(told).ConfigureAwait(false);
            else await AgreeAsync(streams).ConfigureAwait(false);
        }
        catch (ConfigStoreException e)
        {
            Warn(e);
        }
        catch (GroupRefusedException e)
        {
            if (_warnings.MayWarn(2507, e.Message)) AgreementLog.NotInForce(logger, e.Message);
        }
    }

    /// <summary>This program begins the group, and nothing is kept.</summary>
    private async Task MakeFirstAsync()
    {
        if (Version != 0)
        {
            _isBeginning = false; // it was found meanwhile
            return;
        }

        var first = new SharedConfig(OptionsFingerprint.FirstVersion(inForce.Fingerprint), inForce.Fingerprint, inForce.Instance, inForce.Own);
        var isKept = true;
        try
        {
            isKept = store is null || await store.TryWriteAsync(_keptVersion, first.Version, inForce.WriteSealed(first)).ConfigureAwait(false);
        }
        catch (ConfigStoreException e)
        {
            Warn(e); // the group goes on without
        }

        if (isKept) inForce.PutFirst(first);
        else await LoadAsync().ConfigureAwait(false); // another program was first

        _isBeginning = false;
    }

    /// <summary>Another version is in force in the stream than in this program.</summary>
    private async Task CatchUpAsync(long told)
    {
        _behindSince ??= time.GetTimestamp();
        if (told < Version)
        {
            Say(inForce.Value); // others have begun anew, and did not know it
            return;
        }

        var kept = store is null ? default : await ReadAsync(store).ConfigureAwait(false);
        if (kept.Shared is { } shared && shared.Version == told)
        {
            inForce.Put(shared);
            _due.Set();
            return;
        }

        voice.Say(static (member, number) => new GroupMessage.Ask(member, number, GroupMessage.Wish.Config));
        var behind = time.GetElapsedTime(_behindSince.Value);
        if (behind < NobodyKnowsAfter) return;

        _behindSince = null;
        if (kept.Shared is { } newer && newer.Version > told)
        {
            await SayKeptAsync(newer).ConfigureAwait(false); // a later change than the one that nobody tells
            return;
        }

        AgreementLog.NobodyKnows(logger, told, behind.TotalSeconds);
        Say(inForce.Value with { Version = Math.Max(told + 1, time.GetUtcNow().ToUnixTimeMilliseconds()) });
    }

    /// <summary>There is no stream to agree in. If others before other nodes have changed the configuration, this program has it from now on.</summary>
    private async Task FollowAsync(IConfigStore from)
    {
        if ((await ReadAsync(from).ConfigureAwait(false)).Shared is { } shared && shared.Version > Version) inForce.Put(shared);
    }

    /// <summary>This program has what is in force, at least in one stream.</summary>
    private async Task AgreeAsync(IReadOnlyList<StreamGroupStatus> streams)
    {
        _behindSince = null;
        if (streams.Any(stream => stream.ConfigVersion < Version)) Say(inForce.Value); // it could not be said there when it was made
        if (store is not null && streams.Any(static stream => stream.IsHolder)) await KeepAsync(store).ConfigureAwait(false);
        if (_hasCompared || Version == 0) return;

        if (inForce.Value.Options != inForce.Fingerprint)
        {
            if (_warnings.MayWarn(2501)) AgreementLog.OtherOptions(logger, inForce.Value.Options, inForce.Fingerprint);
            await changes.ChangeAsync(_ => inForce.Own, inForce.Fingerprint).ConfigureAwait(false);
        }

        _hasCompared = true;
    }

    /// <summary>The holder looks whether Redis still keeps what is in force, or already keeps what is to be.</summary>
    private async Task KeepAsync(IConfigStore kept)
    {
        var there = await ReadAsync(kept).ConfigureAwait(false);
        _keptVersion = there.Version;
        var mine = inForce.Value;
        if (there.IsUnreadable)
        {
            await kept.TryWriteAsync(there.Version, mine.Version, inForce.WriteSealed(mine)).ConfigureAwait(false);
        }
        else if (there.Version < mine.Version)
        {
            await kept.RestoreAsync(mine.Version, inForce.WriteSealed(mine)).ConfigureAwait(false);
        }
        else if (there.Version > mine.Version && there.Shared is { } next)
        {
            await SayKeptAsync(next).ConfigureAwait(false); // whoever made it has ended before saying it, or says it in this moment
        }
    }

    private async Task SayKeptAsync(SharedConfig next)
    {
        await preparation.PrepareAsync(next.Config).ConfigureAwait(false);
        Say(next);
    }

    private async Task<KeptConfig> ReadAsync(IConfigStore from)
    {
        var kept = await KeptConfig.ReadAsync(from, inForce, time).ConfigureAwait(false);
        if (kept.IsUnreadable && _warnings.MayWarn(2503)) AgreementLog.KeptUnreadable(logger);
        return kept;
    }

    private void Say(SharedConfig shared)
    {
        var text = inForce.Write(shared);
        voice.Say((member, number) => new GroupMessage.Config(member, number, shared.Version, Text: text));
    }

    private void Warn(ConfigStoreException fault)
    {
        if (!_isEnding && _warnings.MayWarn(2502, fault.Message)) AgreementLog.StoreFails(logger, fault.Message);
    }
}

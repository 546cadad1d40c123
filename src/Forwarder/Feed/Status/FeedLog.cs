using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Redis;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>What does a feed say in the log? Event ids 2000 to 2099.</summary>
internal static partial class FeedLog
{
    [LoggerMessage(2000, LogLevel.Information, "feed {Node}: subscribed to {Patterns} ({Server}, {Role}, run id {RunId})")]
    public static partial void Subscribed(ILogger logger, string node, string patterns, string server, NodeRole role, string runId);

    [LoggerMessage(2001, LogLevel.Warning, "feed {Node}: connection lost: {Reason}; next attempt in {DelayMilliseconds} ms")]
    public static partial void Lost(ILogger logger, string node, string reason, int delayMilliseconds);

    [LoggerMessage(2002, LogLevel.Warning, "feed {Node}: no connection: {Reason}; trying again, at the latest every {DelayMilliseconds} ms")]
    public static partial void NoConnection(ILogger logger, string node, string reason, int delayMilliseconds);

    [LoggerMessage(2003, LogLevel.Information, "feed {Node}: the node is now {Role}")]
    public static partial void RoleChanged(ILogger logger, string node, NodeRole role);

    [LoggerMessage(2004, LogLevel.Information, "feed {Node}: notify-keyspace-events was '{Old}', set to '{New}'")]
    public static partial void FlagsSet(ILogger logger, string node, string old, string @new);

    [LoggerMessage(2005, LogLevel.Warning, "feed {Node}: notify-keyspace-events reads '{Old}', which may hide the letters n, o and c: any that somebody else had set are now off")]
    public static partial void FlagsAmbiguous(ILogger logger, string node, string old);

    [LoggerMessage(2006, LogLevel.Warning, "feed {Node}: gap {Id} ({Cause}) since {From:O}: {Detail}; events may be missing")]
    public static partial void GapOpened(ILogger logger, string node, long id, GapCause cause, DateTimeOffset from, string detail);

    [LoggerMessage(2007, LogLevel.Information, "feed {Node}: gap {Id} ({Cause}) ended after {Duration}; last position {Last}, first {First}")]
    public static partial void GapClosed(ILogger logger, string node, long id, GapCause cause, TimeSpan duration, EventPosition last, EventPosition? first);

    [LoggerMessage(2008, LogLevel.Warning, "feed {Node}: {Remedy}")]
    public static partial void Degraded(ILogger logger, string node, string remedy);

    [LoggerMessage(2009, LogLevel.Information, "feed {Node}: {Aspect} is as it should be again")]
    public static partial void Restored(ILogger logger, string node, FeedAspect aspect);

    [LoggerMessage(2010, LogLevel.Information, "feed {Node}: the subscription changes from {Old} to {New}")]
    public static partial void SubscriptionChanges(ILogger logger, string node, string old, string @new);

    [LoggerMessage(2011, LogLevel.Warning, "feed {Node}: a notification of {Bytes} bytes is over the limit and was not read; {Count} so far")]
    public static partial void Oversized(ILogger logger, string node, long bytes, long count);

    [LoggerMessage(2012, LogLevel.Critical, "feed {Node}: the loop died of a fault in the program; this node's events are no longer received")]
    public static partial void LoopDied(ILogger logger, Exception fault, string node);

    [LoggerMessage(2013, LogLevel.Information, "feed {Node}: stopped")]
    public static partial void Stopped(ILogger logger, string node);

    [LoggerMessage(2014, LogLevel.Warning, "feed {Node}: the node did not answer within {Seconds} s of stopping; events of commands it handled last may not have been read")]
    public static partial void NotCaughtUp(ILogger logger, string node, double seconds);

    [LoggerMessage(2030, LogLevel.Warning, "node {Node}: requests waited {Seconds} s for its events to be heard, and are passed on now ({Count} times so far); what they change until then is in no message. --coverage-wait sets the time")]
    public static partial void WaitRanOut(ILogger logger, string node, double seconds, long count);

    [LoggerMessage(2015, LogLevel.Information, "feed {Node}: the node is forwarded from now; {Count} of the notifications held back were new")]
    public static partial void Promoted(ILogger logger, string node, int count);

    [LoggerMessage(2016, LogLevel.Warning, "feed {Node}: nothing has come for {Seconds} s, though an answer is due; the connection is kept and read on, and a second one asks whether the node answers anybody")]
    public static partial void FellSilent(ILogger logger, string node, double seconds);

    [LoggerMessage(2017, LogLevel.Information, "feed {Node}: the node speaks again after {Seconds} s; the connection goes on")]
    public static partial void Speaks(ILogger logger, string node, double seconds);

    [LoggerMessage(2018, LogLevel.Information, "feed {Node}: the second connection says nothing of the first: {Reason}; asking again")]
    public static partial void NoWitness(ILogger logger, string node, string reason);

    [LoggerMessage(2019, LogLevel.Information, "feed {Node}: the node loads its data; subscribing when it is done")]
    public static partial void Loading(ILogger logger, string node);

    [LoggerMessage(2020, LogLevel.Critical, "feed {Node}: '{Task}' died of a fault in the program; the feed ends")]
    public static partial void TaskDied(ILogger logger, Exception fault, string node, string task);

    [LoggerMessage(2032, LogLevel.Information, "feed {Node}: this program delivers from here on; {Count} events that it had kept come first; the holder before it was heard {Milliseconds:0} ms ago")]
    public static partial void TookOver(ILogger logger, string node, long count, double milliseconds);

    [LoggerMessage(2033, LogLevel.Information, "feed {Node}: this program no longer delivers; the holder is {Holder}")]
    public static partial void HandedOver(ILogger logger, string node, string holder);

    [LoggerMessage(2034, LogLevel.Warning, "feed {Node}: a member of the group {Group} speaks another version than this program, and is not understood; {Count} messages so far. Update all members to versions that docs/topologies.md names as compatible")]
    public static partial void OtherVersion(ILogger logger, string node, string group, long count);

    [LoggerMessage(2035, LogLevel.Warning, "feed {Node}: a message of the group {Group} is not sealed with this group's secret, or cannot be read, and is ignored; {Count} so far. Give all members the same secret; see docs/security.md")]
    public static partial void GroupMessageRefused(ILogger logger, string node, string group, long count);

    [LoggerMessage(2036, LogLevel.Information, "feed {Node}: gap {Id} ({Cause}) is withdrawn: other members of the group have heard everything meanwhile")]
    public static partial void GapWithdrawn(ILogger logger, string node, long id, GapCause cause);

    [LoggerMessage(2037, LogLevel.Information, "feed {Node}: the number of a time in office in Redis, {Term}, is larger than this program's, which is the holder; it takes a larger one")]
    public static partial void TermRaised(ILogger logger, string node, long term);

    [LoggerMessage(2038, LogLevel.Information, "feed {Node}: this program {What}")]
    public static partial void SeatChanged(ILogger logger, string node, string what);

    [LoggerMessage(2022, LogLevel.Warning, "feed {Node}: a message on a channel of notifications is not one that a Redis sends, and is not forwarded; {Count} so far. Somebody publishes there: see \"Forged events\" in docs/security.md")]
    public static partial void NotificationRefused(ILogger logger, string node, long count);

    [LoggerMessage(2023, LogLevel.Information, "feed {Node}: {Pattern} may not be subscribed to; {Instead} instead")]
    public static partial void PatternRefused(ILogger logger, string node, string pattern, string instead);

    [LoggerMessage(2021, LogLevel.Warning, "feed {Node}: {Key} holds something that this program did not put there; what was missed while it did not run cannot be told")]
    public static partial void StateUnreadable(ILogger logger, string node, string key);
}

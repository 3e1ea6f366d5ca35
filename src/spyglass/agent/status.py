"""What the agent says of itself: plain data for its page, from which JSON and HTML are made."""

from typing import Any

from spyglass.agent.manager import AgentManager
from spyglass.agent.targets.docker import DockerJob
from spyglass.agent.targets.files import FileJob


def targets(manager: AgentManager) -> dict[str, Any]:
    """Every file and container that is read, and where it all goes."""
    return {
        "ready": manager.is_ready,
        "failure": manager.problem,
        "clients": [{"name": c.name, "url": c.url, "problem": c.failing} for c in manager.clients],
        "jobs": [*(_file_job(job) for job in manager.jobs), *(_docker_job(job) for job in manager.docker_jobs)],
        "not_supported": list(manager.config.warnings),
    }


def discovered(manager: AgentManager) -> dict[str, Any]:
    """Every target that discovery found, with its labels before and after relabelling, and why it is dropped."""
    return {
        "jobs": [
            *({"job": job.job.job_name, "type": "file", "targets": _found(job)} for job in manager.jobs),
            *(
                {"job": docker.job.job_name, "type": "docker", "targets": _containers(docker)}
                for docker in manager.docker_jobs
            ),
        ]
    }


def _file_job(job: FileJob) -> dict[str, Any]:
    files = [
        {
            "path": file.shown,
            "labels": file.labels,
            "position": file.read_to,
            "size": file.size,
            "problem": file.problem,
        }
        for file in list(job.files.values())
    ]
    return {"job": job.job.job_name, "type": "file", "targets": files, "problems": list(job.problems.values())}


def _docker_job(job: DockerJob) -> dict[str, Any]:
    containers = [
        {
            "path": container.discovered.get("__meta_docker_container_name", container.identifier).lstrip("/"),
            "labels": container.labels,
            "position": container.lines,
            "size": None,
            "problem": container.problem,
        }
        for container in list(job.containers.values())
        if not container.dropped
    ]
    return {
        "job": job.job.job_name,
        "type": "docker",
        "targets": containers,
        "problems": [job.problem] if job.problem else [],
    }


def _found(job: FileJob) -> list[dict[str, Any]]:
    return [{"discovered": dict(t.discovered), "labels": dict(t.labels), "dropped": t.dropped} for t in job.found]


def _containers(job: DockerJob) -> list[dict[str, Any]]:
    return [
        {"discovered": c.discovered, "labels": c.labels, "dropped": c.dropped} for c in list(job.containers.values())
    ]

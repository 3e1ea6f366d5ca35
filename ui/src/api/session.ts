import { postJson, requestJson } from './client';

export interface User {
  login: string;
  name?: string;
  email?: string;
  isGrafanaAdmin?: boolean;
}

export interface FrontendSettings {
  buildInfo?: { version?: string; commit?: string };
  /** By name. */
  datasources?: Record<string, { uid: string; type: string; name: string; isDefault?: boolean }>;
  defaultDatasource?: string;
  /** The demo: default credentials, on loopback only. */
  demo?: boolean;
}

export const login = (user: string, password: string) => postJson<{ message: string }>('/login', { user, password });
export const currentUser = () => requestJson<User>('/api/user');
export const frontendSettings = () => requestJson<FrontendSettings>('/api/frontend/settings');
